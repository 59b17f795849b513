//! What it needs to know.

use clap::Args;
use engine::config::Secret;
use reqwest::Url;

/// Where Zendesk is, and who asks.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// The origin of your Zendesk: `https://acme.zendesk.com`.
    #[arg(long, env)]
    pub zendesk_base_url: Option<Url>,

    /// The unique identifier of your OAuth client.
    #[arg(long, env)]
    pub zendesk_client_id: Option<String>,

    /// The OAuth client's secret.
    #[arg(long, env)]
    pub zendesk_client_secret: Option<Secret>,
}
