//! Logs the call in the CRM. ★ Another CRM: name its client here, in place of HubSpot's.
//!
//! The call is there first, with its recording's link. With `RECORDINGS=copy` the recording itself then takes the place of the
//! link, so that one which is late or can't be had keeps no call out of the CRM.

use engine::{
    call::Call,
    config::ConfigError,
    job::{Job, JobError, Outcome},
    recording::Copier,
    vendor::ClientError,
};

use crate::{
    clients::hubspot::{HubSpot as Crm, LARGEST_FILE},
    settings::Settings,
};

/// Logs the call in the CRM, beside the contact that it was with.
pub struct UpdateCrm {
    crm: Crm,
    copier: Copier,
}

impl Job for UpdateCrm {
    const NAME: &'static str = "update-crm";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { crm: Crm::new(settings)?, copier: settings.copier()? })
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
        let mut missing = None;
        if let Some((fetcher, link)) = self.copier.source(call).filter(|_| !logged.has_recording) {
            missing = match fetcher.fetch(link, LARGEST_FILE).await {
                Ok(recording) => {
                    self.crm.take_recording(call, recording).await.map_err(Copier::refused)?.err()
                }
                Err(missing) => Some(missing),
            };
        }
        let note = self.copier.note(call, logged.note, missing.as_slice())?;
        Ok(Outcome::done("call", logged.id).at(logged.url).with(note).into())
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
