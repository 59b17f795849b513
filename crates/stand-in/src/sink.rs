//! A sink for webhooks: `POST /sink/{anything}` takes JSON and remembers it, with the headers by which a
//! receiver would tell deliveries apart and believe them.
//!
//! Every delivery is remembered: a delivery made twice is two, with one key.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use serde_json::{Value, json};

use crate::lock;
use crate::refusal::Refusal;
use crate::vendor::{Listing, Vendor};

/// The headers that are remembered, by the names under which they are.
const HEADERS: [&str; 5] =
    ["content-type", "idempotency-key", "webhook-id", "webhook-signature", "webhook-timestamp"];

/// A delivery.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SinkDelivery {
    /// Where it was delivered to.
    pub path: String,
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
    /// Of its headers, those that matter here, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What was delivered.
    pub body: Value,
    /// The same as it was sent, which is what a signature signs.
    #[serde(skip)]
    pub text: String,
}

/// What was delivered.
#[derive(Clone, Default)]
pub struct Sink {
    deliveries: Arc<Mutex<Vec<SinkDelivery>>>,
}

impl Sink {
    /// The deliveries, newest last.
    #[must_use]
    pub fn deliveries(&self) -> Vec<SinkDelivery> {
        lock(&self.deliveries).clone()
    }

    /// How many different keys they came with; those without one don't count.
    #[must_use]
    pub fn distinct_keys(&self) -> usize {
        let deliveries = lock(&self.deliveries);
        deliveries.iter().filter_map(|delivery| delivery.key.as_ref()).collect::<HashSet<_>>().len()
    }
}

impl Vendor for Sink {
    fn name(&self) -> &'static str {
        "a sink for webhooks"
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/sink/"]
    }

    fn router(&self) -> Router {
        Router::new().route("/sink/{*path}", post(take)).with_state(self.clone())
    }

    fn listings(&self) -> Vec<Listing> {
        let deliveries = self.deliveries();
        let count = deliveries.len();
        let shown = json!({ "distinct_keys": self.distinct_keys(), "deliveries": deliveries });
        vec![Listing { name: "sink", count, shown }]
    }

    /// Nothing but words.
    fn failure(&self, _: &str, status: StatusCode) -> Refusal {
        Refusal::new(status, status.canonical_reason().unwrap_or_default())
    }
}

async fn take(State(sink): State<Sink>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body_as_json = match serde_json::from_slice(&body) {
        Ok(json) => json,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("not JSON: {error}\n")).into_response(),
    };
    let text = |name: &str| Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned());
    lock(&sink.deliveries).push(SinkDelivery {
        path: uri.path().into(),
        key: text("idempotency-key"),
        headers: HEADERS.iter().filter_map(|name| Some(((*name).into(), text(name)?))).collect(),
        body: body_as_json,
        text: String::from_utf8_lossy(&body).into_owned(),
    });
    StatusCode::OK.into_response()
}
