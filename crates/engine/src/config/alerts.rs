//! The settings of alerts.

use std::time::Duration;

use clap::Args;

use secrecy::SecretString as Secret;

/// Who is told of trouble, and of which.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Alerts")]
pub struct AlertConfig {
    /// An incoming webhook of Slack, or of whatever takes `{"text": …}`.
    #[arg(id = "alert_url", long = "alert-url", env = "ALERT_URL")]
    pub url: Option<Secret>,

    /// After how long without any call people are told [default: never].
    #[arg(id = "alert_silence", long = "alert-silence", env = "ALERT_SILENCE", value_parser = humantime::parse_duration)]
    pub silence: Option<Duration>,

    /// How long jobs may wait after they are due before people are told.
    #[arg(id = "alert_lag", long = "alert-lag", env = "ALERT_LAG", default_value = "10m", value_parser = humantime::parse_duration)]
    pub lag: Duration,

    /// How long a trouble must not have been met before it counts as over.
    #[arg(id = "alert_quiet", long = "alert-quiet", env = "ALERT_QUIET", default_value = "5m", value_parser = humantime::parse_duration)]
    pub quiet: Duration,
}
