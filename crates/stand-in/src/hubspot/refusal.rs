//! The error bodies: `{status, message, correlationId, category, errors, context}`.
//!
//! The error handling guide says to treat each field as optional, and not every answer has them all.

use axum::http::StatusCode;
use chrono::Utc;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::values::Invalid;
use crate::random::random;
use crate::refusal::Refusal;
use crate::schema::{Rule, Schema, Wrong};

/// What every error body has.
fn bare(status: StatusCode, message: &str) -> Refusal {
    let body = json!({ "status": "error", "message": message, "correlationId": correlation_id() });
    Refusal::new(status, body)
}

fn of_category(status: StatusCode, category: &str, message: &str) -> Refusal {
    bare(status, message).with("category", json!(category))
}

/// A missing key and a wrong one look alike (observed).
pub(super) fn unauthorized() -> Refusal {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you \
                   can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    of_category(StatusCode::UNAUTHORIZED, "INVALID_AUTHENTICATION", message)
}

/// The usage guidelines' example body; it has `errorType` and `policyName`, and no category.
pub(super) fn rate_limited() -> Refusal {
    limited_by("ten_secondly_rolling", "TEN_SECONDLY_ROLLING")
}

/// The search's own limit; its answers have no headers that tell of limits (search guide), and the body is the one
/// observed for a limit by the second.
pub(super) fn too_many_searches() -> Refusal {
    limited_by("secondly", "SECONDLY")
}

fn limited_by(limit: &str, policy: &str) -> Refusal {
    bare(StatusCode::TOO_MANY_REQUESTS, &format!("You have reached your {limit} limit."))
        .with("errorType", json!("RATE_LIMIT"))
        .with("policyName", json!(policy))
}

pub(super) fn no_such_route() -> Refusal {
    of_category(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", "resource not found")
}

/// Some of the observed answers lack the category that the published description requires.
pub(super) fn not_found(id: &str) -> Refusal {
    no_such_route().with("context", json!({ "id": [id] }))
}

/// Observed for what can't be an id: a contact's own key sent without `idProperty`, most likely.
pub(super) fn not_numeric(id: &str) -> Refusal {
    not_found(id).with("message", json!("Object not found.  objectId are usually numeric."))
}

/// The 409 is documented, its body is not.
pub(super) fn conflict(message: &str) -> Refusal {
    of_category(StatusCode::CONFLICT, "CONFLICT", message)
}

pub(super) fn validation(message: &str) -> Refusal {
    of_category(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

/// Observed: the message ends with the list of problems, as JSON.
pub(super) fn invalid_values(invalid: &[Invalid]) -> Refusal {
    let list = |item: fn(&Invalid) -> Value| -> Value { invalid.iter().map(item).collect() };
    let problems = list(
        |Invalid { name, code, message }| json!({ "isValid": false, "message": message, "error": code, "name": name, "localizedErrorMessage": message }),
    );
    let errors = list(
        |Invalid { name, code, message }| json!({ "message": message, "code": code, "context": { "propertyName": [name] } }),
    );
    validation(&format!("Property values were not valid: {problems}")).with("errors", errors)
}

/// Observed for a search by a property that there is not: a bare 400, without a category.
pub(super) fn unsearchable() -> Refusal {
    bare(StatusCode::BAD_REQUEST, "There was a problem with the request.")
}

/// Observed, but for the list of what is missing, which has several forms.
pub(super) fn missing_scope(scope: &str) -> Refusal {
    let message = "This app hasn't been granted all required scopes to make this call.";
    of_category(StatusCode::FORBIDDEN, "MISSING_SCOPES", message)
        .with("errors", json!([{ "message": message, "context": { "requiredGranularScopes": [scope] } }]))
}

/// What a fault answers. Categories beyond those above are in no list: no caller should go by them.
pub(super) fn injected(status: StatusCode) -> Refusal {
    let category = match status.as_u16() {
        207 => {
            let error = validation("Property values were not valid").body;
            return Refusal::new(status, batch(&[], &[error], &now()));
        }
        401 => return unauthorized(),
        429 => return rate_limited(),
        400 | 422 => "VALIDATION_ERROR",
        403 => "MISSING_SCOPES",
        404 => "OBJECT_NOT_FOUND",
        409 => "CONFLICT",
        _ => "INTERNAL_ERROR",
    };
    of_category(status, category, status.canonical_reason().unwrap_or("A fault was asked for"))
}

/// The body of a request, held against a schema; observed: the message says where the JSON is wrong.
pub(super) fn json<T: DeserializeOwned>(schema: &Schema, body: &[u8]) -> Result<T, Refusal> {
    let body = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        validation(&format!("Invalid input JSON on line {line}, column {column}: {error}"))
    })?;
    checked(schema, body)
}

/// What a request says, held against a schema. The fields are the published description's `ErrorDetail`; the codes are in no
/// list.
pub(super) fn checked<T: DeserializeOwned>(schema: &Schema, said: Value) -> Result<T, Refusal> {
    let wrong = schema.check(&said);
    let detail = |Wrong { at, rule, why }: &Wrong| {
        let code = match rule {
            Rule::Type => "INVALID_TYPE",
            Rule::Missing => "REQUIRED_FIELD",
            Rule::Unknown => "UNKNOWN_FIELD",
            Rule::Value => "INVALID_VALUE",
        };
        json!({ "message": format!("{at} {why}"), "in": at, "code": code, "context": { "field": [at] } })
    };
    let errors: Vec<Value> = wrong.iter().map(detail).collect();
    match wrong.first() {
        Some(Wrong { at, why, .. }) => Err(validation(&format!("Invalid input JSON: {at} {why}"))
            .with("errors", json!(errors))
            .with("context", json!({ "field": wrong.iter().map(|wrong| &wrong.at).collect::<Vec<_>>() }))),
        None => serde_json::from_value(said).map_err(|error| validation(&error.to_string())),
    }
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
    let (time, rest) = (a >> 32, b & 0xffff_ffff_ffff);
    format!("{time:08x}-{:04x}-4{:03x}-8{:03x}-{rest:012x}", (a >> 16) & 0xffff, a & 0xfff, b >> 52)
}
