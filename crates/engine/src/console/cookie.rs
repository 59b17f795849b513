//! The cookie of a session (RFC 6265bis).
//!
//! Behind TLS its name begins with `__Host-`, under which a browser takes it from this host alone and sends it by HTTPS
//! alone. A console that is opened by plain HTTP, on the own host or through a tunnel, has one without: a browser would
//! refuse the other.

use axum::http::{HeaderMap, HeaderValue, header};

use super::session::LONGEST;

const NAMES: [&str; 2] = ["session", "__Host-session"];

/// What the request's cookie holds.
pub(super) fn sent(headers: &HeaderMap, tls: bool) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAMES[usize::from(tls)]).map(|(_, value)| value)
}

/// The header that has a browser keep it.
pub(super) fn kept(value: &str, tls: bool) -> HeaderValue {
    with(value, LONGEST.as_secs(), tls)
}

/// The header that has a browser forget it.
pub(super) fn forgotten(tls: bool) -> HeaderValue {
    with("", 0, tls)
}

fn with(value: &str, seconds: u64, tls: bool) -> HeaderValue {
    let name = NAMES[usize::from(tls)];
    let secure = if tls { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    cookie.parse().expect("a session's cookie is hex")
}
