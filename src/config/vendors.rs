//! The settings of the systems that jobs write to, and of the chat that hears of trouble. ★ Put yours beside them.

use std::time::Duration;

use clap::Args;
use reqwest::Url;
use secrecy::SecretString;

use super::{Names, Pairs};

/// The CRM of `update-crm`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HubSpot")]
pub struct HubSpotConfig {
    /// The origin of HubSpot's API.
    #[arg(
        id = "hubspot_base_url",
        long = "hubspot-base-url",
        env = "HUBSPOT_BASE_URL",
        default_value = "https://api.hubapi.com"
    )]
    pub base_url: Url,

    /// The service key (`HUBSPOT_TOKEN`).
    #[arg(skip)]
    pub token: Option<SecretString>,

    /// The dated version of HubSpot's API.
    #[arg(long = "hubspot-api-version", env = "HUBSPOT_API_VERSION", default_value = "2026-09")]
    pub api_version: String,

    /// The unique contact property that `custom_fields.crm_id` holds [default: HubSpot's own id].
    #[arg(long = "hubspot-contact-id-property", env = "HUBSPOT_CONTACT_ID_PROPERTY")]
    pub contact_id_property: Option<String>,

    /// The platform's agents and the HubSpot owners that they are: `ag_102=777,ag_103=778`.
    #[arg(long = "hubspot-owners", env = "HUBSPOT_OWNERS", default_value = "")]
    pub owners: Pairs,

    /// Custom fields and the call properties that take them: `priority=call_priority`.
    #[arg(long = "hubspot-properties", env = "HUBSPOT_PROPERTIES", default_value = "")]
    pub properties: Pairs,
}

/// The tickets of `attach-recording`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Zendesk")]
pub struct ZendeskConfig {
    /// The origin of your Zendesk: `https://acme.zendesk.com`.
    #[arg(id = "zendesk_base_url", long = "zendesk-base-url", env = "ZENDESK_BASE_URL")]
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

    /// The custom field that names the ticket.
    #[arg(long, env, default_value = "ticket_id")]
    pub ticket_field: String,

    /// Statuses for which a ticket is made when none is named, comma separated; empty: never.
    #[arg(long, env, default_value = "voicemail")]
    pub ticket_create_for: Names,
}

/// The receiver of `review-call`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Webhooks of your own")]
pub struct ReviewConfig {
    /// Who takes the calls that are worth a review: missed, abandoned, or answered and very short.
    // The URL itself may be the key to what stands behind it, and --help would show it.
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

    /// How long a trouble must not have been met before it counts as over.
    #[arg(long = "alert-quiet", env = "ALERT_QUIET", default_value = "5m", value_parser = humantime::parse_duration)]
    pub quiet: Duration,
}
