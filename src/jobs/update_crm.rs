//! Logs the call in the CRM; which one that is says a line in [`clients`](crate::clients). ★ Edit what a receipt says.

use engine::{
    call::Call,
    config::ConfigError,
    job::{Job, JobError, Outcome},
    vendor::ClientError,
};

use crate::{clients::crm::Crm, settings::Settings};

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
