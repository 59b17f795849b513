//! What it needs to know.

use clap::Args;
use engine::config::Secret;
use reqwest::Url;

/// Where HubSpot is, and who asks.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// HubSpot's service key.
    #[arg(long, env)]
    pub hubspot_token: Option<Secret>,

    /// The origin of HubSpot's API.
    #[arg(long, env, default_value = "https://api.hubapi.com")]
    pub hubspot_base_url: Url,

    /// The dated version of HubSpot's API.
    #[arg(long, env, default_value = "2026-09")]
    pub hubspot_api_version: String,
}
