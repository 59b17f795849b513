//! What the stand-in shows to people, and where they make it fail; JSON for reading with curl.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use crate::fault::Fault;
use crate::server::Shared;
use crate::vendor::Vendor;

pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let pages = Router::new()
        .route("/", get(index))
        .route(
            "/stand-in/received",
            get(async |State(shared): State<Arc<Shared>>| pretty(&shared.received.all())),
        )
        .route("/stand-in/faults", get(faults).post(fail).delete(clear))
        .route("/stand-in/{listing}", get(listing))
        .method_not_allowed_fallback(nothing)
        .fallback(nothing)
        .with_state(Arc::clone(shared));
    shared.vendors().fold(pages, |pages, vendor| pages.merge(vendor.controls()))
}

/// Only constants and counts: nothing that a caller sent is ever part of this page.
async fn index(State(shared): State<Arc<Shared>>) -> Html<String> {
    let mut vendors = String::new();
    for vendor in shared.vendors() {
        let paths = vendor.paths().join("…, ");
        // Writing to a string never fails.
        let _ = write!(vendors, "<li>{} ({paths}…):", vendor.name());
        for listing in vendor.listings() {
            let (name, count) = (listing.name, listing.count);
            let _ = write!(vendors, " <a href=/stand-in/{name}>{name}</a> ({count})");
        }
        vendors.push('\n');
    }
    Html(format!(
        "<!doctype html>
<title>Stand-in</title>
<h1>Stand-in</h1>
<p>This plays APIs for development and tests. Nothing that is sent here reaches their vendors.
<ul>
{vendors}<li><a href=/stand-in/received>requests received</a> ({})
<li><a href=/stand-in/faults>faults</a> ({}): POST one to make requests fail, DELETE them all to stop
</ul>
<pre>curl -d '{{\"fail\": {{\"status\": 503}}, \"times\": 3}}' …/stand-in/faults</pre>
",
        shared.received.all().len(),
        shared.faults.all().len(),
    ))
}

async fn listing(State(shared): State<Arc<Shared>>, Path(name): Path<String>, uri: Uri) -> Response {
    let found = shared.vendors().flat_map(Vendor::listings).find(|listing| listing.name == name);
    match found {
        Some(listing) => pretty(&listing.shown),
        None => nothing(State(shared), uri).await.into_response(),
    }
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

/// Says where there is something.
async fn nothing(State(shared): State<Arc<Shared>>, uri: Uri) -> (StatusCode, String) {
    let mut text = format!("Nothing is at {}. There is:\n/\n", uri.path());
    for vendor in shared.vendors() {
        for path in vendor.paths() {
            text = text + path + "… (" + vendor.name() + ")\n";
        }
    }
    (StatusCode::NOT_FOUND, text)
}

/// JSON for reading.
pub(crate) fn pretty(value: &impl Serialize) -> Response {
    match serde_json::to_string_pretty(value) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
