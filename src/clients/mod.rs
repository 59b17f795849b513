//! What is written of a call at the vendors, and where. ★ Replace them with yours (`docs/make-it-yours.md`).
//!
//! A client knows nothing of jobs. How a vendor is spoken to is in a crate of its own, `crates/…-api`, where it is one of ours;
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
