//! ★ What your jobs and vendors need to know. A field here is a setting everywhere: a variable of its name, a flag, a line
//! of `--help`, `config` and `.env.example`; its text is its documentation.
//!
//! A [`Secret`] has no flag, may come from the file that `NAME_FILE` names, is taken up anew when that file changes, and
//! reaches workers alone. So [`Job::wants`](engine::job::Job::wants), which receivers ask, sees none.

use std::time::Duration;

use clap::{Args, ValueEnum};
use reqwest::Url;

use engine::{
    config::{ConfigError, Names, Region, Secret, parse_duration},
    recording::{Copier, Fetcher, Hosts},
};

use crate::{
    clients::{hubspot::settings as hubspot, zendesk::settings as zendesk},
    receive::after_call::PLATFORM,
};

/// The settings beside those that every receiver has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Jobs and vendors")]
pub struct Settings {
    /// The origin of the platform's API, by which `platform` makes the webhook and changes its secret.
    #[arg(long, env)]
    pub platform_api_url: Option<Url>,

    /// The key of the platform's API.
    #[arg(long, env)]
    pub platform_api_key: Option<Secret>,

    /// The webhook's id there, as `platform create` says it.
    #[arg(long, env)]
    pub platform_webhook_id: Option<String>,

    #[command(flatten)]
    pub hubspot: hubspot::Settings,

    /// Where a number without a `+` is from, as ISO 3166 writes it: `IN`, `US` [default: such a number is nobody's].
    #[arg(long, env)]
    pub default_region: Option<Region>,

    /// Statuses of calls to us after which the CRM gets a task to call back, comma separated.
    #[arg(long, env, default_value = "missed,abandoned")]
    pub follow_up_for: Names,

    /// How long after the call's end the task is due.
    #[arg(long, env, default_value = "4h", value_parser = parse_duration)]
    pub follow_up_within: Duration,

    #[command(flatten)]
    pub zendesk: zendesk::Settings,

    /// The custom field that names the call's support ticket.
    #[arg(long, env, default_value = "ticket_id")]
    pub ticket_field: String,

    /// Statuses for which a ticket is made when none is named, comma separated; empty: never.
    #[arg(long, env, default_value = "voicemail")]
    pub ticket_create_for: Names,

    /// What the CRM and the ticket get of a recording: its `link`, which may expire, or a `copy` of the recording itself.
    #[arg(long, env, value_enum, default_value = "link")]
    pub recordings: Recordings,

    /// The hosts that recordings are fetched from, comma separated: `recordings.example.com`, `*.example.com`, `host:8443`.
    #[arg(long, env, default_value = "")]
    pub recording_hosts: Hosts,

    /// What recordings are asked for with: `Bearer …` or `Basic …`. Only hosts that are listed whole get it, without `*`.
    #[arg(long, env)]
    pub recording_authorization: Option<Secret>,

    /// How long after its delivery a call's recording may take to appear.
    #[arg(long, env, default_value = "30m", value_parser = parse_duration)]
    pub recording_wait: Duration,

    /// Who takes the calls that are worth a review: missed, abandoned, or answered and very short.
    #[arg(long, env)]
    pub review_url: Option<Url>,

    /// The key of the reviews' signature, `whsec_…`.
    #[arg(long, env)]
    pub review_secret: Option<Secret>,

    /// An answered call with less talk time than this, in seconds, is worth a review.
    #[arg(long, env, default_value_t = 10)]
    pub review_short_seconds: u32,

    /// Who takes every call.
    #[arg(long, env)]
    pub report_url: Option<Url>,

    /// The key of the reports' signature, `whsec_…`.
    #[arg(long, env)]
    pub report_secret: Option<Secret>,
}

impl Settings {
    /// What copies recordings, where `RECORDINGS` says so.
    ///
    /// # Errors
    ///
    /// Those of [`Fetcher::new`].
    pub fn copier(&self) -> Result<Copier, ConfigError> {
        let fetcher =
            || Fetcher::new(&PLATFORM, &self.recording_hosts, self.recording_authorization.as_ref());
        let copies = self.recordings == Recordings::Copy;
        Ok(Copier::new(copies.then(fetcher).transpose()?, self.recording_wait))
    }
}

/// What is kept of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Recordings {
    /// Where it is.
    Link,
    /// The recording.
    Copy,
}
