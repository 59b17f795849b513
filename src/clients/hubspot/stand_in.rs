//! What `cargo run` sets where HubSpot is not configured: a stand-in plays it.

use engine::dev::Played;

/// The stand-in's HubSpot.
pub const PLAYED: Played = Played {
    name: "HubSpot",
    listing: "calls",
    job: "update-crm",
    unless: &["HUBSPOT_TOKEN"],
    settings: |origin| {
        vec![
            ("HUBSPOT_BASE_URL", origin.to_owned()),
            ("HUBSPOT_TOKEN", stand_in::hubspot::Options::default().token),
            ("HUBSPOT_CONTACT_ID_PROPERTY", "acme_id".to_owned()),
        ]
    },
};
