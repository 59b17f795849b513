//! What Acme's jobs and vendors need to know.

use clap::Args;
use engine::config::Secret;
use reqwest::Url;

/// The settings beside the engine's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Jobs and vendors")]
pub struct Settings {
    /// The origin of your Salesforce: `https://acme.my.salesforce.com`.
    #[arg(long, env)]
    pub salesforce_url: Option<Url>,

    /// An access token of a connected app.
    #[arg(long, env)]
    pub salesforce_token: Option<Secret>,

    /// The version of Salesforce's API.
    #[arg(long, env, default_value = "v66.0")]
    pub salesforce_api_version: String,

    /// The origin of your Freshdesk: `https://acme.freshdesk.com`.
    #[arg(long, env)]
    pub freshdesk_url: Option<Url>,

    /// The API key of the agent who writes the notes.
    #[arg(long, env)]
    pub freshdesk_key: Option<Secret>,

    /// Who is paged when a caller has hung up after a long wait.
    #[arg(long, env)]
    pub pager_url: Option<Url>,

    /// The pager's routing key.
    #[arg(long, env)]
    pub pager_key: Option<Secret>,

    /// A wait from which on the manager is paged, in seconds.
    #[arg(long, env, default_value_t = 120)]
    pub pager_after: u32,

    /// Who takes a report of each call.
    #[arg(long, env)]
    pub report_url: Option<Url>,

    /// The key of the reports' signature, `whsec_…`.
    #[arg(long, env)]
    pub report_secret: Option<Secret>,
}
