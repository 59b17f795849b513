//! Asks for a call back where nobody took the call. ★ Edit which calls want one.
//!
//! Once for a call, whatever becomes of the task: one that an agent has done stays done.

use std::time::Duration;

use engine::{
    call::{Call, Direction},
    config::ConfigError,
    job::{Job, JobError, Outcome},
    vendor::ClientError,
};

use crate::{clients::hubspot::HubSpot as Crm, settings::Settings};

/// Makes a task in the CRM, beside the caller's contact.
pub struct FollowUp {
    crm: Crm,
    statuses: Vec<String>,
    within: Duration,
}

impl Job for FollowUp {
    const NAME: &'static str = "follow-up";
    const ONCE_A_CALL: bool = true;

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let statuses = settings.follow_up_for.0.clone();
        Ok(Self { crm: Crm::new(settings)?, statuses, within: settings.follow_up_within })
    }

    fn destination(&self) -> String {
        self.crm.origin()
    }

    fn wants(call: &Call, settings: &Settings) -> bool {
        wants(call, &settings.follow_up_for.0)
    }

    async fn check(&self) -> Result<Option<String>, ClientError> {
        self.crm.check_tasks().await.map(Some)
    }

    async fn set_up(&self) -> Result<Option<String>, ClientError> {
        self.crm.set_up_tasks().await.map(Some)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        if !wants(call, &self.statuses) {
            return Ok(Outcome::Skipped("a newer event says that it wants none".to_owned()));
        }
        let task = self.crm.ask_for_call_back(call, self.within).await?;
        Ok(Outcome::done("task", task.id).at(task.url).with(task.note).into())
    }
}

/// Nobody missed what we placed ourselves.
fn wants(call: &Call, statuses: &[String]) -> bool {
    let status = call.status.as_ref().map(AsRef::as_ref);
    call.direction != Some(Direction::Outbound)
        && status.is_some_and(|status| statuses.iter().any(|wanted| wanted == status))
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run_beside};
    use serde_json::json;

    use super::*;
    use crate::receive::after_call::PLATFORM;

    #[test]
    fn a_missed_call_wants_a_task_and_an_answered_one_none() {
        let settings = ["HUBSPOT_TOKEN=key", "HUBSPOT_BASE_URL={vendor}"];
        let ran = |status| {
            run_beside::<FollowUp>(&settings, &call(&PLATFORM, status), |request| match &request.path {
                path if path.ends_with("/upsert") => (200, json!({ "results": [{ "id": "901" }] })),
                path if path.contains("/tasks/") => (404, json!({})),
                _ => (200, json!({ "total": 0, "results": [] })),
            })
        };
        let missed = ran("missed");
        assert!(
            missed.wanted && missed.outcome.is_ok_and(|outcome| outcome.to_string().starts_with("task 901"))
        );
        let answered = ran("answered");
        assert!(!answered.wanted && answered.received.is_empty());
    }
}
