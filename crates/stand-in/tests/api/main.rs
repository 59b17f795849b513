//! The stand-in over HTTP, as a caller of the vendors' APIs meets it.

#![expect(clippy::unwrap_used, reason = "what a helper can't do fails the test that called it")]

mod calls;
mod comments;
mod contacts;
mod desk;
mod faults;
mod files;
mod idempotency;
mod kept;
mod platform;
mod properties;
mod script;
mod shown;
mod sink;
mod tickets;
mod tokens;
mod uploads;
mod users;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use stand_in::{Options, StandIn, hubspot};

const UPSERT: &str = "/crm/objects/2026-09/calls/batch/upsert";
const PROPERTIES: &str = "/crm/properties/2026-09/calls";
const SEARCH: &str = "/crm/objects/2026-09/contacts/search";

/// A stand-in, and a caller that has its key.
struct Api {
    stand_in: StandIn,
    client: Client,
}

impl Api {
    async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    async fn start_as(hubspot: hubspot::Options) -> Self {
        Self::start_with(Options { hubspot, ..Options::default() }).await
    }

    async fn start_with(options: Options) -> Self {
        Self { stand_in: StandIn::start(options).await.unwrap(), client: Client::new() }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, self.stand_in.url() + path).bearer_auth("stand-in")
    }

    /// Sends a request and returns status and JSON; an error where no answer came.
    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> reqwest::Result<(u16, Value)> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, None).await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("POST", path, Some(&body)).await.unwrap()
    }

    async fn put(&self, path: &str) -> (u16, Value) {
        self.send("PUT", path, None).await.unwrap()
    }

    /// Upserts a call that is in order.
    async fn upsert(&self, id: &str) -> (u16, Value) {
        self.post(UPSERT, json!({ "inputs": [input(id)] })).await
    }
}

/// An input of an upsert that is in order.
fn input(id: &str) -> Value {
    json!({ "idProperty": "external_call_id", "id": id, "properties": {
        "external_call_id": id,
        "hs_timestamp": "2025-08-21T10:58:13Z",
        "hs_call_title": "Inbound call",
        "hs_call_direction": "INBOUND",
        "hs_call_status": "COMPLETED",
        "hs_call_duration": "271000",
        "hs_call_from_number": "+14085551234",
        "hs_call_to_number": "+14085559876",
        "hs_call_recording_url": "https://recordings.example.com/cl_1.mp3",
        "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
        "hubspot_owner_id": "777",
    } })
}

/// The vendor's error body, and what it has to say.
#[track_caller]
fn refused(answer: &(u16, Value), status: u16, category: &str, word: &str) {
    let (answered, body) = answer;
    assert_eq!((*answered, &body["category"]), (status, &json!(category)), "{body}");
    assert_eq!(body["status"], "error");
    assert_eq!(body["correlationId"].as_str().unwrap().len(), 36);
    assert!(body["message"].as_str().unwrap().contains(word), "{body} doesn't say {word}");
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_refused() {
    let api = Api::start().await;
    let url = api.stand_in.url() + "/crm/objects/2026-09/contacts/101";
    for request in [api.client.get(&url), api.client.get(&url).bearer_auth("wrong")] {
        let response = request.send().await.unwrap();
        let answer = (response.status().as_u16(), response.json().await.unwrap());
        refused(&answer, 401, "INVALID_AUTHENTICATION", "credentials");
    }
}

#[tokio::test]
async fn what_is_not_played_is_not_found() {
    let api = Api::start().await;
    for (method, path) in [("GET", "/crm/v3/objects/calls"), ("GET", UPSERT)] {
        let answer = api.send(method, path, None).await.unwrap();
        refused(&answer, 404, "OBJECT_NOT_FOUND", "resource not found");
    }
    for (method, path) in
        [("PUT", "/stand-in/nothing"), ("GET", "/stand-in/nothing"), ("POST", "/cmr/objects")]
    {
        let response = api.request(method, path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        let text = response.text().await.unwrap();
        assert!(
            text.starts_with(&format!("Nothing is at {path}.")) && text.contains("/crm/… (HubSpot)"),
            "{text}"
        );
    }
    // Of those alone that a client may have sent.
    assert_eq!(api.stand_in.received().last().unwrap().path, "/cmr/objects");
    assert_eq!(api.stand_in.received().len(), 3);
}

#[tokio::test]
async fn a_stand_in_stops_with_its_last_handle() {
    let api = Api::start().await;
    let url = api.stand_in.url();
    let another = api.stand_in.clone();
    drop(api);
    assert!(reqwest::get(&url).await.is_ok());
    drop(another);
    // The server notices on its own time.
    for _ in 0..100 {
        if reqwest::get(&url).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it still answers");
}
