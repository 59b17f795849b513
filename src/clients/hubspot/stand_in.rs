//! What `cargo run` sets where HubSpot is not configured: a stand-in plays it.

use reqwest::Url;

use crate::{
    dev::{CONTACT, Played, needed},
    jobs::{Job, update_crm::UpdateCrm},
};

/// The stand-in's HubSpot.
pub const PLAYED: Played = Played {
    name: "HubSpot",
    listing: "calls",
    own: "HUBSPOT_TOKEN sets your own",
    wanted: |config| needed(config, UpdateCrm::NAME) && config.hubspot.token.is_none(),
    configure: |config, stand_in| {
        let hubspot = &mut config.hubspot;
        hubspot.base_url = Url::parse(&stand_in.url())?;
        hubspot.token = Some(stand_in::Options::default().token.into());
        hubspot.contact_id_property.get_or_insert_with(|| CONTACT.0.to_owned());
        Ok(())
    },
};
