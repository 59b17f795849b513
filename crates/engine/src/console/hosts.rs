//! Under which names the console answers, and whose forms it takes.
//!
//! A page of somebody else's can have its name lead to this machine, and then read what is here as if it were its own (DNS
//! rebinding). Such a name is one of the public DNS: addresses and names without a dot are not.

use axum::http::{
    HeaderMap, Uri, header,
    uri::{Authority, InvalidUri},
};

use crate::config::Names;

/// The names of the public DNS that are the console's own.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn new(own: &Names) -> Self {
        Self(own.0.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request for this is for the console. One that names no host is by no browser.
    pub(super) fn include(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let authority = match authority(uri, headers) {
            Ok(Some(authority)) => authority,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let host = authority.host().to_ascii_lowercase();
        let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
        is_address || !host.contains('.') || host.ends_with(".localhost") || self.0.contains(&host)
    }
}

/// Whether a page of the same name and port sent this. Every browser says of a form where it comes from.
pub(super) fn is_from_its_own_page(uri: &Uri, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| Uri::try_from(origin.as_bytes()).ok());
    match (origin.as_ref().and_then(Uri::authority), authority(uri, headers)) {
        (Some(origin), Ok(Some(own))) => *origin == own,
        _ => false,
    }
}

/// The name that a request is for.
fn authority(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, InvalidUri> {
    match (uri.authority(), headers.get(header::HOST)) {
        (Some(authority), _) => Ok(Some(authority.clone())),
        (None, None) => Ok(None),
        (None, Some(host)) => Authority::try_from(host.as_bytes()).map(Some),
    }
}
