//! The vendors' APIs. ★ Replace them with yours (`docs/make-it-yours.md`).
//!
//! A client owns its base URL, its credential and its vendor's rules, and knows nothing of jobs. What they share is in
//! [`vendor`](engine::vendor).

pub mod hubspot;
#[cfg(feature = "dev")]
mod stand_ins;
pub mod zendesk;

#[cfg(feature = "dev")]
pub use stand_ins::VENDORS as STAND_INS;

/// The module of `update-crm`'s CRM, which has a type `Crm`. ★ With yours in `crm.rs`, this line is `pub mod crm;`.
pub use hubspot as crm;

/// A call that the CRM holds.
#[derive(Debug)]
pub struct Logged {
    /// The CRM's id of it.
    pub id: String,
    /// Its page there, where the answer named it.
    pub url: Option<String>,
    /// What a person should know beside it: why it stands beside no contact, or beside one of several.
    pub note: Option<String>,
}
