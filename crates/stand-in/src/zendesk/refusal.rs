//! The error bodies: `{error, description}`, with `details` where a record is invalid; a few are plain text.
//!
//! Three kinds of them differ from that: OAuth's have `error_description`, an attribute of the wrong type is
//! told in an `error` that is an object (observed), and 429 and 5xx come as `text/plain` ("you may get a
//! text/plain response", requests reference).

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::limit::Full;
use crate::refusal::Refusal;
use crate::schema::{Rule, Wrong};

fn named(status: StatusCode, error: &str, description: &str) -> Refusal {
    Refusal::new(status, json!({ "error": error, "description": description }))
}

/// A request for a token that is in itself no such thing, by OAuth's own names (RFC 6749) unless it says otherwise.
pub(super) fn oauth(status: StatusCode, error: &str, description: &str) -> Refusal {
    Refusal::new(status, json!({ "error": error, "error_description": description }))
}

/// Observed for a request without credentials; of the header, that there is one.
pub(super) fn unauthenticated() -> Refusal {
    let challenge = HeaderValue::from_static(r#"Basic realm="Web Password""#);
    Refusal::new(StatusCode::UNAUTHORIZED, json!({ "error": "Couldn't authenticate you" }))
        .with_header(WWW_AUTHENTICATE, challenge)
}

/// Observed for a token that is expired, revoked or was never one, but for the header (RFC 6750).
pub(super) fn invalid_token() -> Refusal {
    let description =
        "The access token provided is expired, revoked, malformed or invalid for other reasons.";
    let challenge = HeaderValue::from_static(r#"Bearer realm="Web Password", error="invalid_token""#);
    oauth(StatusCode::UNAUTHORIZED, "invalid_token", description).with_header(WWW_AUTHENTICATE, challenge)
}

/// OAuth's own name for it (RFC 6750); the vendor's words are not documented.
pub(super) fn insufficient_scope() -> Refusal {
    let description = "The request requires higher privileges than provided by the access token.";
    oauth(StatusCode::FORBIDDEN, "insufficient_scope", description)
}

/// OAuth's own name for it (RFC 6749); the vendor's words are not documented.
pub(super) fn invalid_client() -> Refusal {
    let description = "The client identifier provided is invalid, or the client failed to authenticate.";
    oauth(StatusCode::UNAUTHORIZED, "invalid_client", description)
}

/// That the header is needed is documented (requests reference), what is answered without it is not.
pub(super) fn not_acceptable() -> Refusal {
    Refusal::new(StatusCode::NOT_ACCEPTABLE, "Accept must be application/json\n")
}

/// Observed for a path that there is not, whatever the credentials.
pub(super) fn no_such_endpoint() -> Refusal {
    named(StatusCode::NOT_FOUND, "InvalidEndpoint", "Not found")
}

/// Observed.
pub(super) fn not_found() -> Refusal {
    named(StatusCode::NOT_FOUND, "RecordNotFound", "Not found")
}

/// The name is documented (guide to safe updates), the words are as others quote them.
pub(super) fn conflict() -> Refusal {
    let description = "Safe Update prevented the update due to outdated ticket data.";
    named(StatusCode::CONFLICT, "UpdateConflict", description)
}

/// The example of the ticketing introduction's section on idempotency.
pub(super) fn other_parameters() -> Refusal {
    let description = "Request parameters don't match the given idempotency key";
    named(StatusCode::BAD_REQUEST, "IdempotentRequestError", description)
}

/// What a schema finds wrong: an attribute of the wrong type, or an unknown one, before all else.
pub(super) fn wrong(all: &[Wrong]) -> Refusal {
    let name = |wrong: &Wrong| wrong.at.trim_start_matches('/').replace('/', ".");
    if let Some(first) = all.iter().find(|wrong| matches!(wrong.rule, Rule::Type | Rule::Unknown)) {
        return wrong_attribute(&name(first), &first.why.replace("an object", "a hash"));
    }
    let mut details = json!({});
    for wrong in all {
        let error = if wrong.rule == Rule::Missing { "BlankValue" } else { "InvalidValue" };
        let field = wrong.at.split('/').nth(2).unwrap_or("base");
        let detail = json!({ "description": format!("{} {}", name(wrong), wrong.why), "error": error });
        details[field] = json!([detail]);
    }
    invalid_record(&details)
}

/// A record that can't be saved as asked; `field` is `base` where it is about no field in particular.
pub(super) fn invalid(field: &str, description: &str) -> Refusal {
    invalid_field(field, description, "InvalidValue")
}

/// Observed for a ticket without a first comment.
pub(super) fn blank_description() -> Refusal {
    invalid_field("base", "Description: cannot be blank", "BlankValue")
}

/// Observed for a value that another record has, and no two may have.
pub(super) fn duplicate(field: &str) -> Refusal {
    invalid_field(field, &format!("{field}: has already been taken"), "DuplicateValue")
}

fn invalid_field(field: &str, description: &str, error: &str) -> Refusal {
    invalid_record(&json!({ field: [{ "description": description, "error": error }] }))
}

fn invalid_record(details: &Value) -> Refusal {
    named(StatusCode::UNPROCESSABLE_ENTITY, "RecordInvalid", "Record validation errors")
        .with("details", details.clone())
}

/// Observed for an attribute of the wrong type, with the endpoint's name at the end of the message.
pub(super) fn wrong_attribute(attribute: &str, why: &str) -> Refusal {
    let message = format!(
        "You passed an invalid value for the {attribute} attribute. Invalid parameter: {attribute} {why} from \
         api/v2/tickets"
    );
    let error = json!({ "title": "Invalid attribute", "message": message });
    Refusal::new(StatusCode::BAD_REQUEST, json!({ "error": error }))
}

/// That there is a limit is documented (attachments guide), what is answered above it is not.
pub(super) fn too_large() -> Refusal {
    named(StatusCode::PAYLOAD_TOO_LARGE, "AttachmentTooLarge", "The file is larger than 50 MB")
}

/// "You may get a text/plain response in case of an error like a bad request" (requests reference).
pub(super) fn unreadable() -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "The body is no JSON\n")
}

/// Observed.
fn rate_limited() -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Number of allowed API requests per minute exceeded")
}

/// The headers are documented (tickets reference, "Update Ticket"): by the total a caller tells the limit of a ticket
/// from the account's.
pub(super) fn too_many_updates(full: &Full) -> Refusal {
    // Rounded up: after so many seconds there is a place.
    let seconds = full.wait.as_secs() + 1;
    let usage = format!("total={}; remaining=0; resets={seconds}", full.limit.requests);
    let mut refusal = rate_limited().with_header(RETRY_AFTER, seconds);
    let name = HeaderName::from_static("zendesk-ratelimit-tickets-update");
    refusal.headers.extend(HeaderValue::try_from(usage).ok().map(|usage| (name, usage)));
    refusal
}

/// What a fault answers. Names beyond those above are in no list: no caller should go by them.
pub(super) fn injected(path: &str, status: StatusCode) -> Refusal {
    let reason = status.canonical_reason().unwrap_or("A fault was asked for");
    match status.as_u16() {
        401 if path.starts_with("/oauth/") => invalid_client(),
        401 => invalid_token(),
        403 => named(status, "Forbidden", "You do not have access to this page."),
        404 => not_found(),
        409 => conflict(),
        422 => invalid("base", "A fault was asked for"),
        429 => rate_limited(),
        500.. => Refusal::new(status, reason),
        _ => named(status, reason, reason),
    }
}
