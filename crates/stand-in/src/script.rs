//! A vendor of your own: under `/script` it answers what a test or a person told it to.
//!
//! ```no_run
//! # async fn test() -> std::io::Result<()> {
//! use serde_json::json;
//! use stand_in::{Options, StandIn};
//!
//! let stand_in = StandIn::start(Options::default()).await?;
//! stand_in.script().answer(json!({
//!     "method": "POST", "path": "/v1/contacts/{id}/calls", "status": 201, "body": { "id": "7" },
//! }));
//! // The client's base URL is `format!("{}/script", stand_in.url())`. After its call:
//! let call = &stand_in.received()[0];
//! assert_eq!((&*call.method, &*call.path), ("POST", "/script/v1/contacts/101/calls"));
//! assert_eq!((&*call.headers["authorization"], &call.body["seconds"]), ("Bearer secret", &json!(271)));
//! # Ok(())
//! # }
//! ```
//!
//! In a path `{id}`, or another word, stands for any one segment, and `{*rest}` for all that follow. The status is 200, and there
//! are no `headers` and no `body`, unless they are given. The same by hand:
//!
//! ```sh
//! curl -d '{"method": "POST", "path": "/v1/calls", "status": 201, "body": {"id": "7"}}' …/stand-in/script
//! curl -d '{"seconds": 271}' …/script/v1/calls
//! curl …/stand-in/received
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{self, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lock;
use crate::pages::pretty;
use crate::refusal::Refusal;
use crate::vendor::{Listing, Vendor};

/// What is answered to one kind of request.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    method: String,
    path: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
}

fn ok() -> u16 {
    200
}

impl Answer {
    fn fits(&self, method: &str, path: &str) -> bool {
        if !self.method.eq_ignore_ascii_case(method) {
            return false;
        }
        let mut segments = path.split('/');
        for wanted in self.path.split('/') {
            let Some(segment) = segments.next() else { return false };
            if wanted.starts_with("{*") {
                return !segment.is_empty();
            }
            let is_any = wanted.starts_with('{') && wanted.ends_with('}');
            if wanted != segment && (!is_any || segment.is_empty()) {
                return false;
            }
        }
        segments.next().is_none()
    }

    fn response(&self) -> http::Result<Response> {
        let body = self.body.as_ref().map_or_else(Body::empty, |body| body.to_string().into());
        let response = http::Response::builder().status(self.status);
        let headers = self.headers.iter();
        let mut response =
            headers.fold(response, |response, (name, value)| response.header(name, value)).body(body)?;
        if self.body.is_some() {
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().entry(CONTENT_TYPE).or_insert(json);
        }
        Ok(response)
    }

    fn check(&self) -> Result<(), String> {
        if !self.path.starts_with('/') {
            return Err(format!("the path {:?} has to begin with a slash", self.path));
        }
        if !(200..600).contains(&self.status) {
            return Err(format!("the status {} has to be from 200 to 599", self.status));
        }
        self.response().map(drop).map_err(|error| error.to_string())
    }
}

/// What is answered under `/script`.
#[derive(Clone, Default)]
pub struct Script {
    /// The newest first.
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Script {
    /// Answers this from now on; a request that several answers fit gets the newest.
    ///
    /// # Panics
    ///
    /// It is no answer; the message says why.
    pub fn answer(&self, answer: Value) {
        if let Err(why) = serde_json::from_value(answer)
            .map_err(|error| error.to_string())
            .and_then(|answer| self.add(answer))
        {
            panic!("not an answer: {why}");
        }
    }

    /// Forgets every answer.
    pub fn clear(&self) {
        lock(&self.answers).clear();
    }

    fn add(&self, answer: Answer) -> Result<(), String> {
        answer.check()?;
        let mut answers = lock(&self.answers);
        answers.retain(|old| (&old.method, &old.path) != (&answer.method, &answer.path));
        answers.insert(0, answer);
        Ok(())
    }
}

impl Vendor for Script {
    fn name(&self) -> &'static str {
        "a vendor of your own"
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/script/"]
    }

    fn router(&self) -> Router {
        Router::new().fallback(play).with_state(self.clone())
    }

    fn listings(&self) -> Vec<Listing> {
        vec![Listing::of("script", &lock(&self.answers))]
    }

    fn failure(&self, _: &str, status: StatusCode) -> Refusal {
        Refusal::new(status, json!({ "error": status.canonical_reason().unwrap_or("A fault was asked for") }))
    }

    fn controls(&self) -> Router {
        Router::new().route("/stand-in/script", get(list).post(tell).delete(clear)).with_state(self.clone())
    }
}

async fn play(State(script): State<Script>, method: Method, uri: Uri) -> Response {
    let path = uri.path().strip_prefix("/script").unwrap_or_default();
    let answers = lock(&script.answers);
    let answer = answers.iter().find(|answer| answer.fits(method.as_str(), path));
    if let Some(answer) = answer {
        return answer.response().unwrap_or_else(|error| error.to_string().into_response());
    }
    let scripted: Vec<String> =
        answers.iter().map(|answer| format!("{} {}", answer.method, answer.path)).collect();
    let body = json!({
        "error": format!("Nothing is scripted for {method} {path}: POST what is under `script` to /stand-in/script"),
        "script": { "method": method.as_str(), "path": path, "status": 200, "headers": {}, "body": {} },
        "scripted": scripted,
    });
    // Whoever asked asks again, and is answered once it is scripted.
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

async fn list(State(script): State<Script>) -> Response {
    pretty(&*lock(&script.answers))
}

/// The content type is not looked at: `curl -d` says that it sends a form.
async fn tell(State(script): State<Script>, body: Bytes) -> Response {
    let answer = serde_json::from_slice::<Answer>(&body).map_err(|error| error.to_string());
    match answer.and_then(|answer| script.add(answer)) {
        Ok(()) => (StatusCode::CREATED, list(State(script)).await).into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, format!("not an answer: {why}\n")).into_response(),
    }
}

async fn clear(State(script): State<Script>) -> StatusCode {
    script.clear();
    StatusCode::NO_CONTENT
}
