//! What `cargo run` sets where HubSpot is not configured: a stand-in plays it.

use std::any::TypeId;

use engine::{dev::Played, job::Job};

use super::HubSpot;
use crate::{clients::crm::Crm, jobs::update_crm::UpdateCrm};

/// The stand-in's HubSpot.
pub const PLAYED: Played = Played {
    name: "HubSpot",
    listing: "calls",
    job: UpdateCrm::NAME,
    // Another CRM may have taken its place.
    in_use: || TypeId::of::<Crm>() == TypeId::of::<HubSpot>(),
    unless: &["HUBSPOT_TOKEN"],
    settings: |origin| {
        vec![
            ("HUBSPOT_BASE_URL", origin.to_owned()),
            ("HUBSPOT_TOKEN", stand_in::hubspot::Options::default().token),
            ("HUBSPOT_CONTACT_ID_PROPERTY", "acme_id".to_owned()),
        ]
    },
};
