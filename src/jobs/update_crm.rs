//! Logs the call in the CRM. ★ Another CRM: name its client here, in place of HubSpot's.

use engine::{
    call::Call,
    config::ConfigError,
    job::{Job, JobError, Outcome},
    vendor::ClientError,
};

use crate::{clients::hubspot::HubSpot as Crm, settings::Settings};

/// Logs the call in the CRM, beside the contact that it was with.
pub struct UpdateCrm {
    crm: Crm,
}

impl Job for UpdateCrm {
    const NAME: &'static str = "update-crm";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { crm: Crm::new(settings)? })
    }

    fn destination(&self) -> String {
        self.crm.origin()
    }

    async fn check(&self) -> Result<Option<String>, ClientError> {
        self.crm.check().await.map(Some)
    }

    async fn set_up(&self) -> Result<Option<String>, ClientError> {
        self.crm.set_up().await.map(Some)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let logged = self.crm.log_call(call).await?;
        Ok(Outcome::done("call", logged.id).at(logged.url).with(logged.note).into())
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run_beside};
    use serde_json::json;

    use super::*;
    use crate::receive::after_call::PLATFORM;

    #[test]
    fn a_call_is_logged_under_its_id() {
        let settings = ["HUBSPOT_TOKEN=key", "HUBSPOT_BASE_URL={vendor}"];
        let missed = call(&PLATFORM, "missed");
        let ran = run_beside::<UpdateCrm>(&settings, &missed, |request| match &request.path {
            path if path.ends_with("/upsert") => (200, json!({ "results": [{ "id": "512" }] })),
            _ => (200, json!({ "total": 0, "results": [] })),
        });
        assert!(ran.outcome.is_ok_and(|outcome| outcome.to_string().starts_with("call 512")));
        assert_eq!(ran.received[0].body["inputs"][0]["id"], missed.call_id);
    }
}
