//! An answer other than the one that was hoped for; what is in its body is for the vendors to say.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON; a string is plain text.
    pub(crate) body: Value,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, body: impl Into<Value>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// The same with another field in its body.
    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.body[field] = value;
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Value::String(text) => (self.status, text).into_response(),
            json => (self.status, Json(json)).into_response(),
        };
        response.headers_mut().extend(self.headers);
        response
    }
}
