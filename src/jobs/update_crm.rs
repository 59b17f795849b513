//! Logs the call in the CRM; which one that is says a line in [`clients`](crate::clients). ★ Edit what a receipt says.

use crate::{
    call::Call,
    clients::crm::Crm,
    config::{Config, ConfigError},
    job::{Job, JobError, Outcome},
    vendor::ClientError,
};

/// Logs the call in the CRM, beside the contact that it was with.
pub struct UpdateCrm {
    crm: Crm,
}

impl Job for UpdateCrm {
    const NAME: &'static str = "update-crm";

    fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self { crm: Crm::new(config)? })
    }

    fn destination(&self) -> String {
        self.crm.origin()
    }

    async fn check(&self) -> Result<Option<String>, ClientError> {
        self.crm.check().await.map(Some)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let logged = self.crm.log_call(call).await?;
        Ok(Outcome::done("call", logged.id).at(logged.url).with(logged.note).into())
    }
}
