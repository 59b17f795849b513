//! What a request says: the JSON of its body, and the attributes of a ticket in it, each of its type.
//!
//! A type that is wrong is told in a 400 (observed); a value that is not allowed in a 422.

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::comments::NewComment;
use super::refusal;
use crate::refusal::Refusal;

/// The properties of a ticket that a caller may write, and their types (tickets reference).
pub(super) const WRITABLE: &[(&str, Kind)] = &[
    ("subject", Kind::Text),
    ("status", Kind::OneOf(&["new", "open", "pending", "hold", "solved", "closed"])),
    ("priority", Kind::OneOf(&["urgent", "high", "normal", "low"])),
    ("type", Kind::OneOf(&["problem", "incident", "question", "task"])),
    ("external_id", Kind::Text),
    ("tags", Kind::List),
    ("custom_fields", Kind::List),
    ("due_at", Kind::Text),
    ("recipient", Kind::Text),
    ("requester_id", Kind::Integer),
    ("submitter_id", Kind::Integer),
    ("assignee_id", Kind::Integer),
    ("organization_id", Kind::Integer),
    ("group_id", Kind::Integer),
    ("brand_id", Kind::Integer),
    ("problem_id", Kind::Integer),
    ("ticket_form_id", Kind::Integer),
    ("custom_status_id", Kind::Integer),
];

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Integer,
    List,
    Hash,
    OneOf(&'static [&'static str]),
}

/// What a request says about a ticket; what is no property of one is dropped without a word, as there.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) fields: BTreeMap<&'static str, Value>,
    pub(super) comment: Option<NewComment>,
    pub(super) safe_update: Option<DateTime<Utc>>,
    pub(super) followup_of: Option<u64>,
}

impl Attributes {
    /// What stands in a body under `ticket`; nothing when the body has no `ticket`.
    pub(super) fn of(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let ticket = match body.get("ticket") {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(ticket)) => ticket,
            Some(_) => return Err(refusal::wrong_type("ticket", "a hash")),
        };
        let mut fields = BTreeMap::new();
        for &(name, kind) in WRITABLE {
            if let Some(value) = kind.of(ticket, name)? {
                fields.insert(name, value.clone());
            }
        }
        let comment = Kind::Hash.of(ticket, "comment")?.and_then(Value::as_object);
        let voice = Kind::Hash.of(ticket, "voice_comment")?.and_then(Value::as_object);
        Ok(Self {
            fields,
            comment: NewComment::of(comment, voice)?,
            safe_update: safe_update(ticket)?,
            followup_of: Kind::Integer.of(ticket, "via_followup_source_id")?.and_then(Value::as_u64),
        })
    }
}

impl Kind {
    /// The attribute, if the request has it, which is of this kind.
    fn of<'a>(self, ticket: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Value>, Refusal> {
        let Some(value) = ticket.get(name) else { return Ok(None) };
        let (fits, must_be) = match self {
            // Null clears a property, whatever its type, except for the status, which a ticket always has.
            _ if value.is_null() && name != "status" => return Ok(Some(value)),
            Self::Text => (value.is_string(), "a string"),
            Self::Integer => (value.is_u64(), "an integer"),
            Self::Hash => (value.is_object(), "a hash"),
            Self::List => {
                let fits = |items: &Vec<Value>| name != "tags" || items.iter().all(Value::is_string);
                (value.as_array().is_some_and(fits), "an array")
            }
            Self::OneOf(allowed) if value.as_str().is_some_and(|value| allowed.contains(&value)) => {
                return Ok(Some(value));
            }
            // The words are not documented.
            Self::OneOf(_) => return Err(refusal::invalid(name, &format!("{name}: {value} is not valid"))),
        };
        if fits { Ok(Some(value)) } else { Err(refusal::wrong_type(&format!("ticket.{name}"), must_be)) }
    }
}

/// The stamp of the ticket as the caller knows it, where it asks for a safe update.
///
/// Both are needed (guide to safe updates); what is answered to one without the other is not documented.
/// The examples have `true` as well as `"true"`.
fn safe_update(ticket: &Map<String, Value>) -> Result<Option<DateTime<Utc>>, Refusal> {
    match ticket.get("safe_update") {
        Some(Value::Bool(true)) => {}
        Some(Value::String(text)) if text == "true" => {}
        _ => return Ok(None),
    }
    let stamp = ticket.get("updated_stamp").and_then(Value::as_str);
    let stamp = stamp.and_then(|stamp| DateTime::parse_from_rfc3339(stamp).ok());
    let stamp = stamp.ok_or_else(|| refusal::wrong_type("ticket.updated_stamp", "a date"))?;
    Ok(Some(stamp.to_utc()))
}

/// The body of a request; one that is no object, or that doesn't say that it is JSON, says nothing.
///
/// "You must supply a Content-Type: application/json header" (requests reference); what happens to a body
/// without it is not documented.
pub(super) fn body(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if body.is_empty() || !content_type.is_some_and(|is| is.starts_with(b"application/json")) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Ok(Map::new()),
        Err(_) => Err(refusal::unreadable()),
    }
}
