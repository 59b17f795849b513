//! A caller of Zendesk, and what its answers have in common.

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use stand_in::{Options, StandIn, zendesk};

pub(crate) const TICKET: &str = "/api/v2/tickets/35436.json";
pub(crate) const TICKETS: &str = "/api/v2/tickets.json";
pub(crate) const TOKENS: &str = "/oauth/tokens";

/// The open one of the tickets that are there from the beginning.
pub(crate) const OPEN: u64 = 35_436;

/// The closed one.
pub(crate) const CLOSED: u64 = 35_400;

/// A stand-in, and a caller that has a token for it.
pub(crate) struct Desk {
    pub(crate) stand_in: StandIn,
    pub(crate) client: Client,
    pub(crate) token: String,
}

/// An answer; a body that is no JSON is a string.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The types of the audit's events.
    pub(crate) fn events(&self) -> Vec<&str> {
        let events = self.body["audit"]["events"].as_array().unwrap();
        events.iter().map(|event| event["type"].as_str().unwrap()).collect()
    }

    /// Zendesk's error body, and what it has to say.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str, word: &str) {
        assert_eq!((self.status, &self.body["error"]), (status, &json!(error)), "{}", self.body);
        assert!(self.body.to_string().contains(word), "{} doesn't say {word}", self.body);
    }

    /// The error body for an attribute of the wrong type.
    #[track_caller]
    pub(crate) fn wrong_type(&self, word: &str) {
        let error = &self.body["error"];
        assert_eq!((self.status, &error["title"]), (400, &json!("Invalid attribute")), "{}", self.body);
        assert!(error["message"].as_str().unwrap().contains(word), "{} doesn't say {word}", self.body);
    }
}

/// A request for a token that is in order.
pub(crate) fn grant() -> Value {
    json!({
        "grant_type": "client_credentials",
        "client_id": "stand-in",
        "client_secret": "stand-in-secret",
        "scope": "tickets:read tickets:write",
    })
}

/// A voice comment that is in order.
pub(crate) fn voice_comment() -> Value {
    json!({
        "from": "+14085551234",
        "to": "+14085559876",
        "recording_url": "https://recordings.example.com/cl_1.mp3",
        "started_at": "2025-08-21T10:58:13Z",
        "call_duration": 271,
        "answered_by_id": 28,
    })
}

/// Whoever asks Zendesk says that an answer is to be JSON.
fn client() -> Client {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    Client::builder().default_headers(headers).build().unwrap()
}

impl Desk {
    pub(crate) async fn start() -> Self {
        Self::start_with(zendesk::Options::default()).await
    }

    pub(crate) async fn start_with(zendesk: zendesk::Options) -> Self {
        Self::at(StandIn::start(Options { zendesk, ..Options::default() }).await.unwrap()).await
    }

    pub(crate) async fn at(stand_in: StandIn) -> Self {
        let mut desk = Self { stand_in, client: client(), token: String::new() };
        let granted = desk.post(TOKENS, grant()).await;
        desk.token = granted.body["access_token"].as_str().unwrap().into();
        desk
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = if path.starts_with("http") { path.into() } else { self.stand_in.url() + path };
        self.client.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    /// Creates a ticket, with a key.
    pub(crate) async fn create(&self, key: &str, body: &Value) -> Answer {
        self.send(self.request("POST", TICKETS).header("Idempotency-Key", key).json(body)).await
    }

    /// Updates the open ticket with this under `ticket`.
    pub(crate) async fn update(&self, ticket: Value) -> Answer {
        self.send(self.request("PUT", TICKET).json(&json!({ "ticket": ticket }))).await
    }
}
