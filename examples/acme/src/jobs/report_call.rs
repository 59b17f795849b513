//! Pushes every call to a BI tool, as JSON.

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

    // The recording's event says nothing new to a report.
    const ONCE_A_CALL: bool = true;

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let url = need!(settings.report_url)?.clone();
        Ok(Self { reports: Webhook::new("REPORT_URL", url, settings.report_secret.as_ref())? })
    }

    fn destination(&self) -> String {
        self.reports.origin()
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let key = self.reports.deliver_once(Self::NAME, call).await?;
        Ok(Outcome::done("delivery", key).into())
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run};

    use super::*;
    use crate::receive::aircall::PLATFORM;

    #[test]
    fn every_call_is_reported() {
        let ran = run::<ReportCall>(&["REPORT_URL={vendor}/calls"], &call(&PLATFORM, "missed"));
        assert!(ran.wanted && ran.outcome.is_ok());
        assert_eq!(ran.received[0].path, "/calls");
        assert_eq!(ran.received[0].body["data"]["status"], "missed");
    }
}
