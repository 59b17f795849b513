//! The error bodies: `{error, description}`, with `details` where a record is invalid; a few are plain text.
//!
//! Three kinds of them differ from that: OAuth's have `error_description`, an attribute of the wrong type is
//! told in an `error` that is an object (observed), and 429 and 5xx come as `text/plain` ("you may get a
//! text/plain response", requests reference).

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer other than the one that was hoped for.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Body,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug)]
enum Body {
    Json(Value),
    Text(&'static str),
}

impl Refusal {
    fn new(status: StatusCode, error: &str, description: &str) -> Self {
        Self::json(status, json!({ "error": error, "description": description }))
    }

    fn json(status: StatusCode, body: Value) -> Self {
        Self { status, body: Body::Json(body), headers: Vec::new() }
    }

    fn text(status: StatusCode, text: &'static str) -> Self {
        Self { status, body: Body::Text(text), headers: Vec::new() }
    }

    fn oauth(status: StatusCode, error: &str, description: &str) -> Self {
        Self::json(status, json!({ "error": error, "error_description": description }))
    }

    fn challenging(mut self, challenge: &'static str) -> Self {
        self.headers.push((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
        self
    }

    /// Observed for a request without credentials; of the header, that there is one.
    pub(super) fn unauthenticated() -> Self {
        let body = json!({ "error": "Couldn't authenticate you" });
        Self::json(StatusCode::UNAUTHORIZED, body).challenging(r#"Basic realm="Web Password""#)
    }

    /// Observed for a token that is expired, revoked or was never one, but for the header (RFC 6750).
    pub(super) fn invalid_token() -> Self {
        let description =
            "The access token provided is expired, revoked, malformed or invalid for other reasons.";
        Self::oauth(StatusCode::UNAUTHORIZED, "invalid_token", description)
            .challenging(r#"Bearer realm="Web Password", error="invalid_token""#)
    }

    /// OAuth's own name for it (RFC 6750); Zendesk's words are not documented.
    pub(super) fn insufficient_scope() -> Self {
        let description = "The request requires higher privileges than provided by the access token.";
        Self::oauth(StatusCode::FORBIDDEN, "insufficient_scope", description)
    }

    /// OAuth's own name for it (RFC 6749); Zendesk's words are not documented.
    pub(super) fn invalid_client() -> Self {
        let description = "The client identifier provided is invalid, or the client failed to authenticate.";
        Self::oauth(StatusCode::UNAUTHORIZED, "invalid_client", description)
    }

    /// A request for a token that is in itself no such thing (RFC 6749).
    pub(super) fn token_request(error: &str, description: &str) -> Self {
        Self::oauth(StatusCode::BAD_REQUEST, error, description)
    }

    /// Observed for a path that there is not, whatever the credentials.
    pub(super) fn no_such_endpoint() -> Self {
        Self::new(StatusCode::NOT_FOUND, "InvalidEndpoint", "Not found")
    }

    /// Observed.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "RecordNotFound", "Not found")
    }

    /// The name is documented (guide to safe updates), the words are as others quote them.
    pub(super) fn conflict() -> Self {
        let description = "Safe Update prevented the update due to outdated ticket data.";
        Self::new(StatusCode::CONFLICT, "UpdateConflict", description)
    }

    /// The example of the ticketing introduction's section on idempotency.
    pub(super) fn other_parameters() -> Self {
        let description = "Request parameters don't match the given idempotency key";
        Self::new(StatusCode::BAD_REQUEST, "IdempotentRequestError", description)
    }

    /// A record that can't be saved as asked; `field` is `base` where it is about no field in particular.
    pub(super) fn invalid(field: &str, description: &str) -> Self {
        Self::invalid_record(field, &json!({ "description": description }))
    }

    /// Observed for a ticket without a first comment.
    pub(super) fn blank_description() -> Self {
        let detail = json!({ "description": "Description: cannot be blank", "error": "BlankValue" });
        Self::invalid_record("base", &detail)
    }

    fn invalid_record(field: &str, detail: &Value) -> Self {
        let body = json!({
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": { field: [detail] },
        });
        Self::json(StatusCode::UNPROCESSABLE_ENTITY, body)
    }

    /// Observed for an attribute of the wrong type, with the endpoint's name at the end of the message.
    pub(super) fn wrong_type(attribute: &str, must_be: &str) -> Self {
        let message = format!(
            "You passed an invalid value for the {attribute} attribute. Invalid parameter: {attribute} must \
             be {must_be} from api/v2/tickets"
        );
        let body = json!({ "error": { "title": "Invalid attribute", "message": message } });
        Self::json(StatusCode::BAD_REQUEST, body)
    }

    /// "You may get a text/plain response in case of an error like a bad request" (requests reference).
    pub(super) fn unreadable() -> Self {
        Self::text(StatusCode::BAD_REQUEST, "The body is no JSON\n")
    }

    /// Observed; the seconds to wait are documented.
    pub(crate) fn rate_limited(retry_after: Option<u64>) -> Self {
        let text = "Number of allowed API requests per minute exceeded";
        let headers = retry_after.map(|seconds| (RETRY_AFTER, seconds.into())).into_iter().collect();
        Self { headers, ..Self::text(StatusCode::TOO_MANY_REQUESTS, text) }
    }

    /// The header is documented (tickets reference, "Update Ticket"): by its total a caller tells the limit of a ticket
    /// from the account's.
    pub(super) fn too_many_updates(total: usize, seconds: u64) -> Self {
        let mut refusal = Self::rate_limited(Some(seconds));
        let usage = format!("total={total}; remaining=0; resets={seconds}");
        let name = HeaderName::from_static("zendesk-ratelimit-tickets-update");
        refusal.headers.extend(HeaderValue::try_from(usage).ok().map(|usage| (name, usage)));
        refusal
    }

    /// What a fault answers. Names beyond those above are in no list: no caller should go by them.
    pub(crate) fn injected(path: &str, status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reason = status.canonical_reason().unwrap_or("A fault was asked for");
        match status.as_u16() {
            401 if path.starts_with("/oauth/") => Self::invalid_client(),
            401 => Self::invalid_token(),
            403 => Self::new(status, "Forbidden", "You do not have access to this page."),
            404 => Self::not_found(),
            409 => Self::conflict(),
            422 => Self::invalid("base", "A fault was asked for"),
            429 => Self::rate_limited(None),
            500.. => Self::text(status, reason),
            _ => Self::new(status, reason, reason),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::Json(body) => (self.status, Json(body)).into_response(),
            Body::Text(text) => (self.status, text).into_response(),
        };
        response.headers_mut().extend(self.headers);
        response
    }
}
