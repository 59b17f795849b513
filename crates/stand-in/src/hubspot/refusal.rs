//! The error bodies: `{status, message, correlationId, category, errors, context}`.
//!
//! The error handling guide says to treat each field as optional, and not every answer has them all.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::values::Invalid;
use crate::random::random;

/// An answer other than the one that was hoped for.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Value,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, category: &str, message: &str) -> Self {
        let body = json!({
            "status": "error",
            "message": message,
            "correlationId": correlation_id(),
            "category": category,
        });
        Self { status, body, retry_after: None }
    }

    fn with(mut self, field: &str, value: Value) -> Self {
        self.body[field] = value;
        self
    }

    /// A missing key and a wrong one look alike (observed).
    pub(super) fn unauthorized() -> Self {
        let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and \
                       you can find more details at \
                       https://developers.hubspot.com/docs/methods/auth/oauth-overview";
        Self::new(StatusCode::UNAUTHORIZED, "INVALID_AUTHENTICATION", message)
    }

    /// The usage guidelines' example body; it has `errorType` and `policyName`, and no category.
    pub(crate) fn rate_limited(retry_after: Option<u64>) -> Self {
        let body = json!({
            "status": "error",
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": correlation_id(),
            "policyName": "TEN_SECONDLY_ROLLING",
        });
        Self { status: StatusCode::TOO_MANY_REQUESTS, body, retry_after }
    }

    /// The search's own limit; its answers have no headers that tell of limits (search guide), and the body is the one
    /// observed for a limit by the second.
    pub(super) fn too_many_searches() -> Self {
        let mut refusal = Self::rate_limited(None);
        refusal.body["message"] = json!("You have reached your secondly limit.");
        refusal.body["policyName"] = json!("SECONDLY");
        refusal
    }

    pub(super) fn no_such_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", "resource not found")
    }

    /// Some of the observed answers lack the category that the published description requires.
    pub(super) fn not_found(id: &str) -> Self {
        Self::no_such_route().with("context", json!({ "id": [id] }))
    }

    /// Observed for what can't be an id: a contact's own key sent without `idProperty`, most likely.
    pub(super) fn not_numeric(id: &str) -> Self {
        let message = "Object not found.  objectId are usually numeric.";
        Self::new(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", message).with("context", json!({ "id": [id] }))
    }

    /// The 409 is documented, its body is not.
    pub(super) fn conflict(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    pub(super) fn validation(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    /// A validation error that says which ids or properties it is about.
    pub(super) fn validation_of(message: &str, field: &str, about: &[&str]) -> Self {
        Self::validation(message).with("context", json!({ field: about }))
    }

    /// Observed: the message ends with the list of problems, as JSON.
    pub(super) fn invalid_values(invalid: &[Invalid]) -> Self {
        let list = |item: fn(&Invalid) -> Value| -> Value { invalid.iter().map(item).collect() };
        let problems = list(|invalid| {
            json!({
                "isValid": false,
                "message": invalid.message,
                "error": invalid.code,
                "name": invalid.name,
                "localizedErrorMessage": invalid.message,
            })
        });
        let errors = list(|invalid| {
            json!({
                "message": invalid.message,
                "code": invalid.code,
                "context": { "propertyName": [invalid.name] },
            })
        });
        Self::validation(&format!("Property values were not valid: {problems}")).with("errors", errors)
    }

    /// Observed for a search by a property that there is not: a bare 400, without a category.
    pub(super) fn unsearchable() -> Self {
        let body = json!({
            "status": "error",
            "message": "There was a problem with the request.",
            "correlationId": correlation_id(),
        });
        Self { status: StatusCode::BAD_REQUEST, body, retry_after: None }
    }

    /// What a fault answers. Categories beyond those above are in no list: no caller should go by them.
    pub(crate) fn injected(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let message = status.canonical_reason().unwrap_or("A fault was asked for");
        match status.as_u16() {
            207 => {
                let error = Self::validation("Property values were not valid").in_batch(None);
                Self { status, body: batch(&[], &[error], &now()), retry_after: None }
            }
            401 => Self::unauthorized(),
            429 => Self::rate_limited(None),
            400 | 422 => Self::new(status, "VALIDATION_ERROR", message),
            403 => Self::new(status, "MISSING_SCOPES", message),
            404 => Self::new(status, "OBJECT_NOT_FOUND", message),
            409 => Self::new(status, "CONFLICT", message),
            _ => Self::new(status, "INTERNAL_ERROR", message),
        }
    }

    /// The same as one of the `errors` of a 207 (error handling guide).
    pub(super) fn in_batch(mut self, write_trace_id: Option<&str>) -> Value {
        if let Some(id) = write_trace_id {
            self.body["context"]["objectWriteTraceId"] = json!([id]);
        }
        self.body
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The body of a request; observed: the message says where the JSON is wrong, or what is missing in it.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let (line, column) = (error.line(), error.column());
        Refusal::validation(&format!("Invalid input JSON on line {line}, column {column}: {what}"))
    })
}

/// The body of a batch, and of an association, which answers as if it were a batch.
pub(super) fn batch(results: &[Value], errors: &[Value], started_at: &str) -> Value {
    let mut body = json!({
        "status": "COMPLETE",
        "results": results,
        "startedAt": started_at,
        "completedAt": now(),
    });
    if !errors.is_empty() {
        body["numErrors"] = json!(errors.len());
        body["errors"] = json!(errors);
    }
    body
}

/// The time as the vendor writes it.
pub(super) fn now() -> String {
    super::account::iso(Utc::now())
}

/// A random UUID.
fn correlation_id() -> String {
    let (a, b) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}
