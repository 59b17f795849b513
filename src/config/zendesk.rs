//! The settings of Zendesk.

use clap::Args;
use reqwest::Url;
use secrecy::SecretString;

use super::values::{Names, Pairs};

/// The tickets of `attach-recording`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Zendesk")]
pub struct ZendeskConfig {
    /// The origin of your Zendesk: `https://acme.zendesk.com`.
    #[arg(
        id = "zendesk_base_url",
        long = "zendesk-base-url",
        env = "ZENDESK_BASE_URL",
        hide_env_values = true
    )]
    pub base_url: Option<Url>,

    /// The unique identifier of your OAuth client.
    #[arg(long = "zendesk-client-id", env = "ZENDESK_CLIENT_ID")]
    pub client_id: Option<String>,

    /// The OAuth client's secret (`ZENDESK_CLIENT_SECRET`).
    #[arg(skip)]
    pub client_secret: Option<SecretString>,

    /// The platform's agents and the Zendesk users that they are: `ag_102=28,ag_103=29`.
    #[arg(long = "zendesk-agents", env = "ZENDESK_AGENTS", default_value = "")]
    pub agents: Pairs,

    /// Statuses for which a ticket is made when none is named, comma separated; empty: never.
    #[arg(long, env, default_value = "voicemail")]
    pub ticket_create_for: Names,
}
