//! Logs the call in the CRM. ★ Another CRM: put its client in place of [`HubSpot`].

use super::{Job, JobError, Outcome};
use crate::{
    clients::hubspot::HubSpot,
    config::{Config, ConfigError},
    receive::event::CallEvent,
};

/// Logs the call in the CRM, beside the contact that it was with.
pub struct UpdateCrm {
    crm: HubSpot,
}

impl Job for UpdateCrm {
    const NAME: &'static str = "update-crm";

    fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self { crm: HubSpot::new(&config.hubspot)? })
    }

    fn destination(&self) -> String {
        self.crm.origin()
    }

    async fn run(&self, call: &CallEvent) -> Result<Outcome, JobError> {
        let logged = self.crm.log_call(call).await?;
        Ok(Outcome::done("call", logged.id).at(logged.url).with(logged.note).into())
    }
}
