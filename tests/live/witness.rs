//! Stands between the program and its vendor: passes everything on, prints each request with the vendor's own id of it, and
//! keeps the form of each answer, without a value of it.
//!
//! With `LIVE_RECORD=FOLDER` the forms are written there. What plays a vendor on this machine is held to those of
//! [`SEEN`]: what it answers, the vendor has been seen to answer.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, Method, Request, Response, StatusCode, header},
};
use reqwest::{Client, Url, redirect::Policy};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::form;

/// The headers in which HubSpot, Zendesk and what stands before them name a request.
const IDS: [&str; 4] = ["x-hubspot-correlation-id", "x-request-id", "x-zendesk-request-id", "cf-ray"];

/// Headers that concern one connection, or that ask for an answer in a form that can't be read here.
const NOT_PASSED_ON: [header::HeaderName; 5] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::ACCEPT_ENCODING,
];

/// Where the forms lie that the vendors were seen to answer in.
const SEEN: &str = "tests/live/seen";

/// The forms of answers, as JSON Schemas, by what was asked and its status.
type Seen = BTreeMap<String, Value>;

/// Sees what is said between a program and one vendor.
pub(crate) struct Witness {
    /// Where the vendor is reached through it.
    pub(crate) url: String,
    between: Arc<Between>,
    _serving: AbortOnDropHandle<()>,
}

struct Between {
    vendor: &'static str,
    /// Where the vendor is.
    base: Url,
    http: Client,
    seen: Mutex<Seen>,
}

impl Witness {
    /// Before the vendor at this address.
    pub(crate) async fn of(vendor: &'static str, base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let base = base.parse().expect("the vendor's base URL is one");
        // As the program asks: a vendor has no reason to redirect.
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        // A run that sees less takes nothing away from what was seen before.
        let seen = recorded(vendor).unwrap_or_default();
        let between = Arc::new(Between { vendor, base, http, seen: Mutex::new(seen) });
        let app = Router::new().fallback(pass_on).with_state(Arc::clone(&between));
        let serving = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { url, between, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Holds what plays a vendor to what the vendor was seen to answer, and writes down what it has seen, where that is asked
    /// for.
    pub(crate) fn testify(&self) {
        let Between { vendor, base, seen, .. } = &*self.between;
        let seen = seen.lock().unwrap();
        let before = std::env::var("LIVE_SEEN").unwrap_or_else(|_| SEEN.to_owned());
        let played = base.host_str().is_some_and(|host| ["127.0.0.1", "localhost"].contains(&host));
        if let Some(before) = read(&file(&before, vendor)).filter(|_| played) {
            let both = seen.iter().filter_map(|(asked, form)| Some((asked, before.get(asked)?, form)));
            let beyond: Vec<_> =
                both.flat_map(|(asked, before, form)| form::beyond(before, form, asked)).collect();
            assert!(beyond.is_empty(), "{vendor} was never seen to answer so: {beyond:#?}");
            println!("as {vendor} was seen to answer, with {} forms", before.len());
        }
        if let Ok(folder) = std::env::var("LIVE_RECORD") {
            std::fs::create_dir_all(&folder).unwrap();
            let text = serde_json::to_string_pretty(&*seen).unwrap() + "\n";
            std::fs::write(file(&folder, vendor), text).unwrap();
            println!("the forms of {} answers stand in {}", seen.len(), file(&folder, vendor).display());
        }
    }
}

fn file(folder: &str, vendor: &str) -> PathBuf {
    Path::new(folder).join(format!("{vendor}.json"))
}

/// What stands already where it is to be recorded.
fn recorded(vendor: &str) -> Option<Seen> {
    read(&file(&std::env::var("LIVE_RECORD").ok()?, vendor))
}

fn read(file: &Path) -> Option<Seen> {
    let text = std::fs::read(file).ok()?;
    Some(serde_json::from_slice(&text).expect("it is as it was recorded"))
}

async fn pass_on(State(between): State<Arc<Between>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = parts.headers;
    for name in NOT_PASSED_ON {
        headers.remove(name);
    }
    let mut url = between.base.clone();
    url.set_path(&format!("{}{}", between.base.path().trim_end_matches('/'), parts.uri.path()));
    url.set_query(parts.uri.query());
    let answer = between.http.request(parts.method.clone(), url).headers(headers).body(body).send().await;
    // As where nobody answers.
    let Ok(answer) = answer else {
        println!("{} {}: no answer", parts.method, parts.uri.path());
        return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap_or_default();
    between.saw(&parts.method, parts.uri.path(), status, &headers, &body);
    for name in NOT_PASSED_ON {
        headers.remove(name);
    }
    let mut passed_on = Response::new(Body::from(body));
    *passed_on.status_mut() = status;
    *passed_on.headers_mut() = headers;
    passed_on
}

impl Between {
    fn saw(&self, method: &Method, path: &str, status: StatusCode, headers: &HeaderMap, body: &Bytes) {
        let ids = IDS.iter().filter_map(|id| Some(format!("{id}: {}", headers.get(*id)?.to_str().ok()?)));
        println!("{method} {path} → {status}  {}", ids.collect::<Vec<_>>().join(", "));
        let Ok(answer) = serde_json::from_slice(body) else { return };
        let asked = format!("{method} {} {}", form::of_path(path), status.as_u16());
        let mut seen = self.seen.lock().unwrap();
        let form = seen.entry(asked).or_default();
        *form = form::of(&answer, form.take());
    }
}
