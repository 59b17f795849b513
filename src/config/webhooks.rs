//! The settings of webhooks of your own, and of the chat that hears of trouble. ★ Put those of your vendors beside them.

use std::time::Duration;

use clap::Args;
use reqwest::Url;
use secrecy::SecretString;

/// The receiver of `review-call`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Webhooks of your own")]
pub struct ReviewConfig {
    /// Who takes the calls that are worth a review: missed, abandoned, or answered and very short.
    #[arg(id = "review_url", long = "review-url", env = "REVIEW_URL", hide_env_values = true)]
    pub url: Option<Url>,

    /// The key of the deliveries' signature, `whsec_…` (`REVIEW_SECRET`).
    #[arg(skip)]
    pub secret: Option<SecretString>,

    /// An answered call with less talk time than this, in seconds, is worth a review.
    #[arg(long = "review-short-seconds", env = "REVIEW_SHORT_SECONDS", default_value_t = 10)]
    pub short_seconds: u32,
}

/// The receiver of `report-call`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Webhooks of your own")]
pub struct ReportConfig {
    /// Who takes every call.
    #[arg(id = "report_url", long = "report-url", env = "REPORT_URL", hide_env_values = true)]
    pub url: Option<Url>,

    /// The key of the deliveries' signature, `whsec_…` (`REPORT_SECRET`).
    #[arg(skip)]
    pub secret: Option<SecretString>,
}

/// Who is told of trouble, and of which.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Alerts")]
pub struct AlertConfig {
    /// An incoming webhook of Slack, or of whatever takes `{"text": …}` (`ALERT_URL`).
    #[arg(skip)]
    pub url: Option<SecretString>,

    /// After how long without any call people are told [default: never].
    #[arg(long = "alert-silence", env = "ALERT_SILENCE", value_parser = humantime::parse_duration)]
    pub silence: Option<Duration>,

    /// How long jobs may wait after they are due before people are told.
    #[arg(long = "alert-lag", env = "ALERT_LAG", default_value = "10m", value_parser = humantime::parse_duration)]
    pub lag: Duration,

    /// How long a trouble must not have been met before it counts as over.
    #[arg(long = "alert-quiet", env = "ALERT_QUIET", default_value = "5m", value_parser = humantime::parse_duration)]
    pub quiet: Duration,
}
