//! The vendors' APIs. ★ Replace them with yours (`docs/make-it-yours.md`).
//!
//! A client owns its base URL, its credential and its vendor's rules, and knows nothing of jobs. What they share is in
//! [`vendor`](engine::vendor).

pub mod after_call;
pub mod caller;
pub mod hubspot;
pub mod logged;
#[cfg(feature = "dev")]
mod stand_ins;
pub mod zendesk;

#[cfg(feature = "dev")]
pub use stand_ins::VENDORS as STAND_INS;
