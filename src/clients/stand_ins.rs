//! The vendors that a stand-in plays for `cargo run`, where nobody has configured them.

use engine::dev::{StandIn, Vendors};

/// Each says in its client's folder what that takes.
pub const VENDORS: Vendors = Vendors {
    start: |listen, keep| {
        Box::pin(async move {
            let options = stand_in::Options { listen, keep: Some(keep), ..Default::default() };
            let stand_in = stand_in::StandIn::start(options).await?;
            let url = stand_in.url();
            Ok(StandIn { url, stop: Box::new(|| Box::pin(stand_in.stop())) })
        })
    },
    played: &[super::hubspot::stand_in::PLAYED, super::zendesk::stand_in::PLAYED],
    fields: &[("crm_id", "ACME-4451"), ("ticket_id", "35436"), ("priority", "high")],
};
