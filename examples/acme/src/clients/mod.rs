//! The vendors' APIs.

pub mod freshdesk;
pub mod salesforce;
