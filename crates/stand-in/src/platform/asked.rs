//! What a request says of a webhook.

use axum::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal;
use crate::refusal::Refusal;
use crate::schema::Schema;

pub(super) static CREATE: Schema = Schema::new(include_str!("schemas/webhooks.json"), "create");
pub(super) static CHANGE: Schema = Schema::new(include_str!("schemas/webhooks.json"), "change");

/// What a delivery shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Auth {
    /// The header that carries the secret.
    pub header: String,
    /// The secret.
    pub secret: String,
}

/// What a webhook is made of.
#[derive(Deserialize)]
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) auth: Auth,
    pub(super) events: Vec<String>,
}

/// What is changed of one.
#[derive(Deserialize)]
pub(super) struct Change {
    pub(super) url: Option<String>,
    pub(super) auth: Option<Auth>,
    pub(super) events: Option<Vec<String>>,
}

/// The body of a request, which must say that it is JSON, and be as a schema says.
pub(super) fn body<T: DeserializeOwned>(
    schema: &Schema,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<T, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !content_type.is_some_and(|is| is.starts_with(b"application/json")) {
        return Err(refusal::unreadable());
    }
    let body: Map<String, Value> = serde_json::from_slice(body).map_err(|_| refusal::unreadable())?;
    let body = Value::Object(body);
    match schema.check(&body).first() {
        Some(wrong) => Err(refusal::invalid(&field(&wrong.at), &wrong.why)),
        None => serde_json::from_value(body).map_err(|_| refusal::unreadable()),
    }
}

/// `auth.secret`; of an item of a list, the list.
fn field(at: &str) -> String {
    let names = at.split('/').skip(1).filter(|name| name.parse::<usize>().is_err());
    names.collect::<Vec<_>>().join(".")
}
