//! A delivery arrives: [`guard`], [`after_call`], [`store`], 200.
//!
//! 200 means stored: the answer goes out after the commit that holds the event and its jobs.

pub mod after_call;
pub mod fields;
pub mod guard;
pub mod memory;
pub mod outcomes;
pub mod refusals;
pub mod store;
mod values;

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{FromRef, State},
    http::HeaderMap,
};
use chrono::Utc;
use serde_json::{Value, json};

use crate::{
    error::Rejection,
    telemetry::{Safe, millis},
};
use guard::{Guard, Refused, Verified};
use outcomes::Outcomes;
use refusals::Refusals;
use store::{Delivery, Stored, Writer};

/// What a request handler can reach.
#[derive(Clone)]
pub struct AppState {
    /// Says who may deliver.
    pub guard: Arc<Guard>,
    /// Makes events durable.
    pub writer: Writer,
    /// Keeps the log short when many are refused.
    pub refusals: Arc<Refusals>,
    /// Tells people when some are refused that were not before.
    pub outcomes: Arc<Outcomes>,
}

impl FromRef<AppState> for Arc<Guard> {
    fn from_ref(app: &AppState) -> Self {
        Arc::clone(&app.guard)
    }
}

/// `POST /webhooks/after-call`.
///
/// # Errors
///
/// Each [`Rejection`] is a row of the table of answers.
pub async fn receive(
    State(app): State<AppState>,
    request: Result<Verified, Refused>,
) -> Result<Json<Value>, Rejection> {
    let begun = Instant::now();
    let (client, answer) = match request {
        Ok(request) => (request.client, take(&app, request).await),
        Err(Refused { client, why }) => (client, Err(why)),
    };
    let ms = millis(begun);
    match answer {
        Ok((event_id, stored)) => {
            app.outcomes.taken(client);
            let id = Safe(&event_id);
            tracing::info!(target: "call", status = 200, %stored, event_id = %id, ms, "<-- 200 {stored} {id} ({ms} ms)");
            Ok(Json(json!({ "status": stored.word(), "event_id": event_id })))
        }
        Err(rejection) => {
            app.outcomes.refused(client, &rejection);
            if app.refusals.note(client, &rejection) {
                let status = rejection.status().as_u16();
                tracing::info!(target: "call", status, %client, ms, "<-- {status} {rejection} ({client}, {ms} ms)");
            }
            Err(rejection)
        }
    }
}

async fn take(app: &AppState, request: Verified) -> Result<(String, Stored), Rejection> {
    let Verified { headers, body, deadline, memory, .. } = request;
    let event = after_call::parse(&body, Utc::now())?;
    let event_id = event.event_id.clone();
    let id = Safe(&event_id);
    tracing::debug!(target: "call", event_id = %id, "--> {} {id}", Safe(&event.event));

    let headers = kept(&app.guard, &headers);
    let stored = app.writer.store(Delivery { event, headers, body, memory }, deadline).await?;
    if let Stored::Duplicate { same_body: false, .. } = stored {
        tracing::warn!(event_id = %Safe(&event_id), "a repeat of this event has another body: the first one is kept");
    }
    Ok((event_id, stored))
}

/// The headers as a list of pairs, so that their order and repeats are kept.
fn kept(guard: &Guard, headers: &HeaderMap) -> Value {
    let pair = |(name, value): (&_, &axum::http::HeaderValue)| {
        json!([format!("{name}"), String::from_utf8_lossy(value.as_bytes())])
    };
    guard.without_credentials(headers).map(pair).collect()
}
