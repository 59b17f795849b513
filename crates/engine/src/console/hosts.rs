//! Under which names the console answers.
//!
//! A page of somebody else's can have its name lead to this machine, and then read what is here as if it were its own (DNS
//! rebinding). Such a name is one of the public DNS: addresses and names without a dot are not.

use axum::http::{HeaderMap, Uri, header, uri::Authority};

use crate::config::Names;

/// The names of the public DNS that are the console's own.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn new(own: &Names) -> Self {
        Self(own.0.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request for this is for the console. One that names no host is by no browser.
    pub(super) fn include(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let authority = match (uri.authority(), headers.get(header::HOST)) {
            (Some(authority), _) => authority.clone(),
            (None, None) => return true,
            (None, Some(host)) => match Authority::try_from(host.as_bytes()) {
                Ok(authority) => authority,
                Err(_) => return false,
            },
        };
        let host = authority.host().to_ascii_lowercase();
        let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
        is_address || !host.contains('.') || host.ends_with(".localhost") || self.0.contains(&host)
    }
}
