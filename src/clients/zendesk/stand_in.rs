//! What `cargo run` sets where Zendesk is not configured: a stand-in plays it.

use engine::dev::Played;

/// The stand-in's Zendesk.
pub const PLAYED: Played = Played {
    name: "Zendesk",
    listing: "tickets",
    job: "attach-recording",
    unless: &["ZENDESK_BASE_URL", "ZENDESK_CLIENT_ID", "ZENDESK_CLIENT_SECRET"],
    settings: |origin| {
        let accepts = stand_in::Options::default().zendesk;
        vec![
            // Under another name of this machine: a vendor is told by its origin, and HubSpot has one of its own.
            ("ZENDESK_BASE_URL", origin.replace("127.0.0.1", "localhost")),
            ("ZENDESK_CLIENT_ID", accepts.client_id),
            ("ZENDESK_CLIENT_SECRET", accepts.client_secret),
        ]
    },
};
