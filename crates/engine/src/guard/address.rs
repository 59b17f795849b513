//! Whose address is it, and may it deliver? (Documentation, "Security": "Reject unknown IPs".)

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use crate::{
    answer::{Refused, Rejection},
    config::{AllowedAddresses, Networks, WebhookConfig, is_private},
};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Further headers by which a proxy or tunnel shows that a request is somebody else's.
static FORWARDING: [HeaderName; 4] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

pub(super) struct Addresses {
    allowed: AllowedAddresses,
    trusted_proxies: Networks,
}

impl Addresses {
    pub(super) fn new(config: &WebhookConfig) -> Self {
        Self { allowed: config.allowed_ips.clone(), trusted_proxies: config.trusted_proxies.clone() }
    }

    /// The client's address, when it may deliver.
    pub(super) fn admit(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Refused> {
        let AllowedAddresses::Only(allowed) = &self.allowed else {
            return Ok(client(&self.trusted_proxies, peer, headers).unwrap_or(peer));
        };
        // A tunnel or proxy on this host or beside it that nobody named would admit the whole world under its own address.
        let forwards = headers.contains_key(&X_FORWARDED_FOR)
            || is_private(peer) && FORWARDING.iter().any(|name| headers.contains_key(name));
        if forwards && !self.trusted_proxies.contain(peer) {
            return Err(Refused::new(peer, Rejection::UnknownProxy));
        }
        match client(&self.trusted_proxies, peer, headers) {
            Some(client) if allowed.contain(client) => Ok(client),
            Some(client) => Err(Refused::new(client, Rejection::AddressNotAllowed)),
            None => Err(Refused::new(peer, Rejection::NoAddress)),
        }
    }
}

/// The nearest address that is no trusted proxy, read from the right: what stands left of it, the client may have made up.
/// `None` when the entry where that address should stand is no address.
pub(crate) fn client(trusted_proxies: &Networks, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
    let lines = headers.get_all(&X_FORWARDED_FOR).iter();
    let entries: Vec<_> = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).collect();
    let mut client = peer;
    for entry in entries.into_iter().rev() {
        if !trusted_proxies.contain(client) {
            break;
        }
        client = address(entry)?;
    }
    Some(client)
}

/// Some proxies add the port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry).ok()?.trim();
    let with_port = |text: &str| text.parse::<SocketAddr>().map(|address| address.ip());
    text.parse::<IpAddr>().or_else(|_| with_port(text)).ok().map(|address| address.to_canonical())
}
