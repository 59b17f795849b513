//! Pushes every call to a BI tool, as JSON. ★ Edit what is reported.

use engine::{
    call::Call,
    config::ConfigError,
    job::{Job, JobError, Outcome},
    need,
    vendor::webhook::Webhook,
};

use crate::settings::Settings;

/// Delivers the call to `REPORT_URL`.
pub struct ReportCall {
    reports: Webhook,
}

impl Job for ReportCall {
    const NAME: &'static str = "report-call";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let url = need!(settings.report_url)?.clone();
        Ok(Self { reports: Webhook::new("REPORT_URL", url, settings.report_secret.as_ref())? })
    }

    fn destination(&self) -> String {
        self.reports.origin()
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let key = self.reports.deliver(Self::NAME, call).await?;
        Ok(Outcome::done("delivery", key).into())
    }
}
