//! What the stand-in shows to people, and where they make it fail; JSON for reading with curl.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::json;

use crate::fault::Fault;
use crate::server::Shared;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(index))
        .route(
            "/stand-in/received",
            get(async |State(shared): State<Arc<Shared>>| pretty(&shared.received.all())),
        )
        .route(
            "/stand-in/calls",
            get(async |State(shared): State<Arc<Shared>>| pretty(&shared.hubspot.calls())),
        )
        .route(
            "/stand-in/contacts",
            get(async |State(shared): State<Arc<Shared>>| pretty(&shared.hubspot.contacts())),
        )
        .route(
            "/stand-in/tickets",
            get(async |State(shared): State<Arc<Shared>>| pretty(&shared.zendesk.tickets())),
        )
        .route("/stand-in/sink", get(sink))
        .route("/stand-in/faults", get(faults).post(fail).delete(clear))
        .with_state(shared)
}

/// Only constants and counts: nothing that a caller sent is ever part of this page.
async fn index(State(shared): State<Arc<Shared>>) -> Html<String> {
    Html(format!(
        "<!doctype html>
<title>Stand-in for HubSpot and Zendesk</title>
<h1>Stand-in for HubSpot and Zendesk</h1>
<p>This plays their APIs for development and tests. Nothing that is sent here reaches HubSpot or Zendesk.
<ul>
<li><a href=/stand-in/calls>calls</a> ({})
<li><a href=/stand-in/contacts>contacts</a> ({})
<li><a href=/stand-in/tickets>tickets</a> ({})
<li><a href=/stand-in/sink>deliveries to /sink/…</a> ({})
<li><a href=/stand-in/received>requests received</a> ({})
<li><a href=/stand-in/faults>faults</a> ({}): POST one to make requests fail, DELETE them all to stop
</ul>
<pre>curl -d '{{\"fail\": {{\"status\": 503}}, \"times\": 3}}' …/stand-in/faults</pre>
",
        shared.hubspot.calls().len(),
        shared.hubspot.contacts().len(),
        shared.zendesk.tickets().len(),
        shared.sink.len(),
        shared.received.all().len(),
        shared.faults.all().len(),
    ))
}

async fn sink(State(shared): State<Arc<Shared>>) -> Response {
    let sink = &shared.sink;
    pretty(&json!({ "distinct_keys": sink.distinct_keys(), "deliveries": sink.deliveries() }))
}

async fn faults(State(shared): State<Arc<Shared>>) -> Response {
    pretty(&shared.faults.all())
}

/// The content type is not looked at: `curl -d` says that it sends a form.
async fn fail(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Fault>(&body) {
        Ok(fault) => {
            shared.faults.add(fault);
            (StatusCode::CREATED, pretty(&shared.faults.all())).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("not a fault: {error}\n")).into_response(),
    }
}

async fn clear(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.faults.clear();
    StatusCode::NO_CONTENT
}

fn pretty(value: &impl Serialize) -> Response {
    match serde_json::to_string_pretty(value) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
