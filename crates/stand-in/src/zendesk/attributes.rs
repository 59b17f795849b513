//! What a request says: its JSON, held against a schema, and the attributes of a ticket in it.

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::comments::NewComment;
use super::refusal;
use crate::refusal::Refusal;
use crate::schema::Schema;

/// What a request says about a ticket.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) fields: BTreeMap<String, Value>,
    pub(super) comment: Option<NewComment>,
    pub(super) safe_update: Option<DateTime<Utc>>,
    pub(super) followup_of: Option<u64>,
}

impl Attributes {
    /// What stands in a body under `ticket`; nothing when the body has no `ticket`.
    pub(super) fn of(body: &Value, schema: &Schema) -> Result<Self, Refusal> {
        check(body, schema)?;
        let Some(mut fields) = body["ticket"].as_object().cloned() else { return Ok(Self::default()) };
        // "A value of false has the same effect as true" (tickets reference).
        let is_safe = fields.remove("safe_update").is_some();
        Ok(Self {
            comment: NewComment::of(fields.remove("comment"), fields.remove("voice_comment"))?,
            safe_update: typed(fields.remove("updated_stamp"))?.filter(|_| is_safe),
            followup_of: typed(fields.remove("via_followup_source_id"))?,
            fields: fields.into_iter().collect(),
        })
    }
}

/// A value whose type a schema has seen to, where there is one.
pub(super) fn typed<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>, Refusal> {
    value.map(serde_json::from_value).transpose().map_err(|_| refusal::unreadable())
}

/// Whether it is as a schema says.
pub(super) fn check(request: &Value, schema: &Schema) -> Result<(), Refusal> {
    let wrong = schema.check(request);
    if wrong.is_empty() { Ok(()) } else { Err(refusal::wrong(&wrong)) }
}

/// Whether the query of a request is as a schema says; observed: what is wrong with one is told like a wrong type.
pub(super) fn check_query(query: &BTreeMap<String, String>, schema: &Schema) -> Result<(), Refusal> {
    match schema.check(&json!(query)).first() {
        Some(wrong) => Err(refusal::wrong_attribute(wrong.at.trim_start_matches('/'), &wrong.why)),
        None => Ok(()),
    }
}

/// The body of a request; one that is no object, or that doesn't say that it is JSON, says nothing.
///
/// "You must supply a Content-Type: application/json header" (requests reference); what happens to a body
/// without it is not documented.
pub(super) fn body(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if body.is_empty() || !content_type.is_some_and(|is| is.starts_with(b"application/json")) {
        return Ok(json!({}));
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| refusal::unreadable())?;
    Ok(if body.is_object() { body } else { json!({}) })
}
