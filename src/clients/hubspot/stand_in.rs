//! What `cargo run` sets where HubSpot is not configured: a stand-in plays it.

use std::any::TypeId;

use reqwest::Url;

use super::HubSpot;
use crate::{
    clients::crm::Crm,
    dev::{CONTACT, Played, needed},
    job::Job,
    jobs::update_crm::UpdateCrm,
};

/// The stand-in's HubSpot.
pub const PLAYED: Played = Played {
    name: "HubSpot",
    listing: "calls",
    own: "HUBSPOT_TOKEN sets your own",
    wanted: |config| {
        // Another CRM may have taken its place.
        let in_use = TypeId::of::<Crm>() == TypeId::of::<HubSpot>();
        in_use && needed(config, UpdateCrm::NAME) && config.hubspot.token.is_none()
    },
    configure: |config, stand_in| {
        let hubspot = &mut config.hubspot;
        hubspot.base_url = Url::parse(&stand_in.url())?;
        hubspot.token = Some(stand_in::hubspot::Options::default().token.into());
        hubspot.contact_id_property.get_or_insert_with(|| CONTACT.0.to_owned());
        Ok(())
    },
};
