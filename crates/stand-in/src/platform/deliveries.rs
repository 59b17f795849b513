//! A call that has ended, to the webhooks that want it. (Documentation, "Error handling, retries, and limits".)

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

use super::{Platform, Webhook};
use crate::lock;
use crate::pages::pretty;

/// "Delivery times out after 5 seconds."
const TIMEOUT: Duration = Duration::from_secs(5);

/// "We retry with exponential backoff up to 6 times."
const RETRIES: u32 = 6;

/// One try of a delivery, and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// When the answer was there.
    pub at: DateTime<Utc>,
    /// The webhook's id.
    pub webhook: String,
    /// The event's own id.
    pub event_id: Value,
    /// The status answered; none where no answer came in time.
    pub status: Option<u16>,
}

pub(super) fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
    // A connection for each, so that a balancer spreads them.
    client.pool_max_idle_per_host(0).build().expect("the TLS backend is compiled in")
}

impl Platform {
    /// Tells every webhook that wants it of this event, at once and again until it is taken; returns once all have answered
    /// 200 or have had all their tries. Returns the tries.
    pub async fn place_call(&self, event: &Value) -> Vec<Delivery> {
        let mut tries = Vec::new();
        // "Missed/Abandoned" is one event (after-call form).
        let status =
            event["status"].as_str().map(|status| if status == "abandoned" { "missed" } else { status });
        for webhook in self.webhooks() {
            if webhook.events.iter().any(|wanted| status == Some(wanted.as_str())) {
                tries.extend(self.deliver(&webhook.id, event).await);
            }
        }
        tries
    }

    /// The webhook is looked up at each try, and shows the secret that it has then.
    async fn deliver(&self, id: &str, event: &Value) -> Vec<Delivery> {
        let mut tries = Vec::new();
        let mut wait = self.options.retry_first;
        loop {
            let Some(webhook) = self.webhooks().into_iter().find(|webhook| webhook.id == id) else {
                return tries;
            };
            let status = self.try_once(&webhook, event).await;
            let event_id = event["event_id"].clone();
            let delivery = Delivery { at: Utc::now(), webhook: webhook.id, event_id, status };
            lock(&self.deliveries).push(delivery.clone());
            tries.push(delivery);
            let taken = status.is_some_and(|status| (200..300).contains(&status));
            if taken || tries.len() > RETRIES as usize {
                return tries;
            }
            sleep(wait).await;
            wait *= 2;
        }
    }

    async fn try_once(&self, webhook: &Webhook, event: &Value) -> Option<u16> {
        let request = self.http.post(&webhook.url).header(&webhook.auth.header, &webhook.auth.secret);
        let answer = request.header(CONTENT_TYPE, "application/json").body(event.to_string()).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }
}

/// `POST /stand-in/place-call`: the body is the event.
pub(super) async fn asked(State(platform): State<Platform>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(event) => pretty(&platform.place_call(&event).await),
        Err(error) => (StatusCode::BAD_REQUEST, format!("not an event: {error}\n")).into_response(),
    }
}
