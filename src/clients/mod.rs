//! What is written of a call at the vendors, and where. ★ Replace them with yours (`docs/make-it-yours.md`).
//!
//! A client knows nothing of jobs. How HubSpot and Zendesk are spoken to is in the crates [`hubspot_api`] and [`zendesk_api`];
//! what all clients share is in [`vendor`](engine::vendor).

pub mod after_call;
pub mod caller;
pub mod hubspot;
pub mod logged;
#[cfg(feature = "dev")]
mod stand_ins;
pub mod zendesk;

#[cfg(feature = "dev")]
pub use stand_ins::VENDORS as STAND_INS;
