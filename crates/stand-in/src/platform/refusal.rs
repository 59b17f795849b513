//! The error bodies. Their form is not documented: here, an error in words, and the field that it is about.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::refusal::Refusal;

fn told(status: StatusCode, error: &str) -> Refusal {
    Refusal::new(status, json!({ "error": error }))
}

pub(super) fn unauthorized() -> Refusal {
    told(StatusCode::UNAUTHORIZED, "the API key is missing or unknown")
}

pub(super) fn forbidden() -> Refusal {
    told(StatusCode::FORBIDDEN, "this API key may not change webhooks")
}

pub(super) fn not_found() -> Refusal {
    told(StatusCode::NOT_FOUND, "there is no such webhook or endpoint")
}

pub(super) fn unreadable() -> Refusal {
    told(StatusCode::BAD_REQUEST, "the body is no JSON object, or its Content-Type is not application/json")
}

/// A field that is missing, unknown or of a wrong value. A secret is never repeated.
pub(super) fn invalid(field: &str, why: &str) -> Refusal {
    told(StatusCode::UNPROCESSABLE_ENTITY, &format!("{field} {why}")).with("field", Value::from(field))
}

/// What a fault answers.
pub(super) fn injected(status: StatusCode) -> Refusal {
    match status.as_u16() {
        401 => unauthorized(),
        403 => forbidden(),
        404 => not_found(),
        422 => invalid("auth.secret", "was refused, since a fault asked for it"),
        _ => told(status, status.canonical_reason().unwrap_or("a fault was asked for")),
    }
}
