//! The list of what came in, for tests to assert on and for people to look at.
//!
//! A request is noted when it arrives and completed when it is answered, so that one whose caller gave up
//! is in the list as well. Keys and tokens are not shown to people, and of a request for a token, or with a webhook's secret,
//! nothing is noted but what is known to be no secret.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::lock;

const AT_MOST: usize = 10_000;

/// What a request with a secret may show of its body.
const NO_SECRETS: [&str; 8] =
    ["client_id", "events", "expires_in", "format", "grant_type", "scope", "type", "url"];

/// A request to anything but the stand-in's own pages.
#[derive(Clone, Debug, Serialize)]
pub struct Received {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The headers by their names in lower case; in the list that people see without those that hold a secret.
    #[serde(serialize_with = "no_secrets")]
    pub headers: BTreeMap<String, String>,
    /// The JSON body; null when there was none, a string when it was no JSON.
    pub body: Value,
    /// The status answered; none when the connection was dropped, or when nobody waited for the answer.
    pub status: Option<u16>,
    /// Whether a fault closed the connection instead of answering.
    pub dropped: bool,
}

impl Received {
    pub(crate) fn now(parts: &Parts, body: &[u8]) -> Self {
        let path = parts.uri.path();
        let has_a_secret = ["/oauth", "/token", "/webhooks"].iter().any(|part| path.contains(part));
        let body = match body {
            [] => Value::Null,
            body if has_a_secret => without_secrets(body),
            body => serde_json::from_slice(body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned())),
        };
        Self {
            at: Utc::now(),
            method: parts.method.to_string(),
            path: path.into(),
            headers: parts.headers.iter().map(header).collect(),
            query: parts.uri.query().filter(|_| !has_a_secret).map(Into::into),
            body,
            status: None,
            dropped: false,
        }
    }
}

fn header((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn no_secrets<S: Serializer>(headers: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    let is_secret = |name: &str| {
        let words = ["authorization", "cookie", "key", "secret", "token"];
        name != "idempotency-key" && words.iter().any(|word| name.contains(word))
    };
    serializer.collect_map(headers.iter().filter(|(name, _)| !is_secret(name)))
}

fn without_secrets(body: &[u8]) -> Value {
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut body)) => {
            body.retain(|name, _| NO_SECRETS.contains(&name.as_str()));
            Value::Object(body)
        }
        _ => Value::String("not shown".into()),
    }
}

/// Requests by number, the oldest forgotten first.
#[derive(Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    forgotten: usize,
    kept: VecDeque<Received>,
}

impl Log {
    /// Notes a request, and returns the number under which its answer is noted later.
    pub(crate) fn add(&self, received: Received) -> usize {
        let mut entries = lock(&self.0);
        if entries.kept.len() == AT_MOST {
            entries.kept.pop_front();
            entries.forgotten += 1;
        }
        entries.kept.push_back(received);
        entries.forgotten + entries.kept.len() - 1
    }

    /// Notes how a request ended; no status means that the connection was dropped.
    pub(crate) fn ended(&self, number: usize, status: Option<u16>) {
        let mut entries = lock(&self.0);
        let position = number.checked_sub(entries.forgotten);
        if let Some(received) = position.and_then(|position| entries.kept.get_mut(position)) {
            received.status = status;
            received.dropped = status.is_none();
        }
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        lock(&self.0).kept.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn the_oldest_requests_are_forgotten_and_a_late_answer_to_one_is_ignored() {
        let log = Log::default();
        let add = |path: &str| {
            let (parts, ()) = Request::get(path).body(()).unwrap().into_parts();
            log.add(Received::now(&parts, b""))
        };
        let first = add("/first");
        for _ in 0..AT_MOST - 1 {
            add("/more");
        }
        let last = add("/last");
        log.ended(first, Some(200));
        log.ended(last, Some(204));

        let all = log.all();
        assert_eq!(all.len(), AT_MOST);
        assert!(all.iter().all(|received| received.path != "/first" && received.status != Some(200)));
        assert_eq!(all.last().unwrap().status, Some(204));
    }
}
