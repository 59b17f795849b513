//! Pushes every call to a BI tool, as JSON. ★ Edit what is reported.

use crate::{
    call::Call,
    clients::webhook::Webhook,
    config::{Config, ConfigError},
    job::{Job, JobError, Outcome},
};

/// Delivers the call to `REPORT_URL`.
pub struct ReportCall {
    reports: Webhook,
}

impl Job for ReportCall {
    const NAME: &'static str = "report-call";

    fn new(config: &Config) -> Result<Self, ConfigError> {
        let report = &config.report;
        let url = report.url.clone().ok_or_else(|| {
            ConfigError::new("REPORT_URL is not set: say who takes reports, or take report-call out of JOBS")
        })?;
        Ok(Self { reports: Webhook::new("REPORT_URL", url, report.secret.as_ref())? })
    }

    fn destination(&self) -> String {
        self.reports.origin()
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let key = self.reports.deliver(Self::NAME, call).await?;
        Ok(Outcome::done("delivery", key).into())
    }
}
