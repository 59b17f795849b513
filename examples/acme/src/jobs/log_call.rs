//! Logs the call in Salesforce, and brings it up to date when its recording is there.

use engine::{
    call::Call,
    config::ConfigError,
    job::{Job, JobError, Outcome},
    vendor::ClientError,
};

use crate::{clients::salesforce::Salesforce, settings::Settings};

/// Logs the call as a task.
pub struct LogCall {
    crm: Salesforce,
}

impl Job for LogCall {
    const NAME: &'static str = "log-call";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { crm: Salesforce::new(settings)? })
    }

    fn destination(&self) -> String {
        self.crm.origin()
    }

    async fn check(&self) -> Result<Option<String>, ClientError> {
        self.crm.check().await.map(Some)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        Ok(Outcome::done("task", self.crm.log(call).await?).into())
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run_beside};
    use serde_json::json;

    use super::*;
    use crate::receive::aircall::PLATFORM;

    #[test]
    fn a_call_is_a_task_under_its_id() {
        let settings = ["SALESFORCE_URL={vendor}", "SALESFORCE_TOKEN=key"];
        let call = call(&PLATFORM, "answered");
        let ran = run_beside::<LogCall>(&settings, &call, |_| (201, json!({ "id": "00T1" })));
        assert_eq!(ran.outcome.expect("it is done").to_string(), "task 00T1");
        assert!(ran.received[0].path.ends_with(&format!("/sobjects/Task/Call_Id__c/{}", call.call_id)));
        assert_eq!(ran.received[0].body["CallDurationInSeconds"], 271);
    }
}
