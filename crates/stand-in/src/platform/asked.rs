//! What a request may say of a webhook. (Documentation, "Alternative setup — API".)

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal;
use crate::refusal::Refusal;

/// The events that a webhook may ask for. (Documentation, "Create webhook".)
const EVENTS: [&str; 3] = ["answered", "missed", "voicemail"];

/// A secret's length in characters. Not documented: a shorter one could be guessed, a longer one fits no header everywhere.
const SECRET: std::ops::RangeInclusive<usize> = 16..=256;

/// What a delivery shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Auth {
    /// The header that carries the secret.
    pub header: String,
    /// The secret.
    pub secret: String,
}

/// What a webhook is made of.
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) auth: Auth,
    pub(super) events: Vec<String>,
}

/// What is changed of one.
#[derive(Default)]
pub(super) struct Change {
    pub(super) url: Option<String>,
    pub(super) auth: Option<Auth>,
    pub(super) events: Option<Vec<String>>,
}

impl Asked {
    /// All fields of the documentation's example must be there.
    pub(super) fn of(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let missing = |field: &'static str| move || refusal::invalid(field, "is missing");
        for field in ["type", "format"] {
            body.get(field).ok_or_else(missing(field))?;
        }
        let Change { url, auth, events } = Change::of(body)?;
        Ok(Self {
            url: url.ok_or_else(missing("url"))?,
            auth: auth.ok_or_else(missing("auth"))?,
            events: events.ok_or_else(missing("events"))?,
        })
    }
}

impl Change {
    pub(super) fn of(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut change = Self::default();
        for (field, value) in body {
            match field.as_str() {
                "type" => only(field, value, "after_call")?,
                "format" => only(field, value, "json")?,
                "url" => change.url = Some(url(value)?),
                "auth" => change.auth = Some(auth(value)?),
                "events" => change.events = Some(events(value)?),
                _ => return Err(refusal::invalid(field, "is no field of a webhook")),
            }
        }
        Ok(change)
    }
}

fn only(field: &str, value: &Value, allowed: &str) -> Result<(), Refusal> {
    if value == allowed { Ok(()) } else { Err(refusal::invalid(field, &format!("must be {allowed}"))) }
}

/// (Documentation, "Prerequisites": "A publicly reachable HTTPS URL".) This machine is reached without.
fn url(value: &Value) -> Result<String, Refusal> {
    let wrong = || refusal::invalid("url", "must be an https:// URL without user, password and fragment");
    let text = value.as_str().ok_or_else(wrong)?;
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let host = authority.host().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback());
    let fits = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback,
        _ => false,
    };
    let plain = !authority.as_str().contains('@') && !text.contains('#');
    if fits && plain { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn auth(value: &Value) -> Result<Auth, Refusal> {
    let fields = value.as_object().ok_or_else(|| refusal::invalid("auth", "must be an object"))?;
    if let Some(field) = fields.keys().find(|field| !["header", "secret"].contains(&field.as_str())) {
        return Err(refusal::invalid(&format!("auth.{field}"), "is no field of it"));
    }
    let text = |field: &str| fields.get(field).and_then(Value::as_str);
    let header = text("header").filter(|name| HeaderName::from_bytes(name.as_bytes()).is_ok());
    let header = header.ok_or_else(|| refusal::invalid("auth.header", "must be a header's name"))?;
    let secret = text("secret").filter(|secret| SECRET.contains(&secret.chars().count()));
    let secret = secret.filter(|secret| secret.bytes().all(|byte| byte.is_ascii_graphic()));
    let secret = secret.ok_or_else(|| {
        let (least, most) = (SECRET.start(), SECRET.end());
        refusal::invalid("auth.secret", &format!("must be {least} to {most} characters without a space"))
    })?;
    Ok(Auth { header: header.to_owned(), secret: secret.to_owned() })
}

fn events(value: &Value) -> Result<Vec<String>, Refusal> {
    let wrong =
        || refusal::invalid("events", "must be a list of answered, missed, voicemail, each once at most");
    let mut events: Vec<String> = Vec::new();
    for event in value.as_array().filter(|events| !events.is_empty()).ok_or_else(wrong)? {
        let event = event.as_str().filter(|event| EVENTS.contains(event)).ok_or_else(wrong)?;
        if events.iter().any(|before| before == event) {
            return Err(wrong());
        }
        events.push(event.to_owned());
    }
    Ok(events)
}

/// The body of a request, which must say that it is JSON.
pub(super) fn body(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !content_type.is_some_and(|is| is.starts_with(b"application/json")) {
        return Err(refusal::unreadable());
    }
    serde_json::from_slice(body).map_err(|_| refusal::unreadable())
}
