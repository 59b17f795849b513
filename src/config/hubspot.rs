//! The settings of HubSpot.

use clap::Args;
use reqwest::Url;
use secrecy::SecretString;

use super::values::Pairs;

/// The CRM of `update-crm`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HubSpot")]
pub struct HubSpotConfig {
    /// The origin of HubSpot's API.
    #[arg(
        id = "hubspot_base_url",
        long = "hubspot-base-url",
        env = "HUBSPOT_BASE_URL",
        hide_env_values = true,
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
