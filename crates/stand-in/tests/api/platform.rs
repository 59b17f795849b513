//! The telephone platform's API for webhooks, and its deliveries.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use stand_in::{Fault, Options, StandIn, platform};

const SECRET: &str = "the-secret-of-this-webhook";

struct Platform {
    stand_in: StandIn,
    client: reqwest::Client,
}

impl Platform {
    async fn start() -> Self {
        let platform = platform::Options { retry_first: Duration::from_millis(1), ..Default::default() };
        let options = Options { platform, ..Options::default() };
        Self { stand_in: StandIn::start(options).await.unwrap(), client: reqwest::Client::new() }
    }

    async fn send(&self, key: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/v1/webhooks{path}", self.stand_in.url());
        let request = self.client.request(method.parse().unwrap(), url).bearer_auth(key);
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send("stand-in-key", method, path, body).await
    }

    /// Makes a webhook to the sink; returns its id.
    async fn create(&self) -> String {
        let (status, webhook) = self.ask("POST", "", &self.webhook()).await;
        assert_eq!((status, &webhook["status"]), (201, &json!("enabled")), "{webhook}");
        webhook["id"].as_str().unwrap().to_owned()
    }

    /// As the documentation makes one.
    fn webhook(&self) -> Value {
        json!({
            "type": "after_call",
            "url": format!("{}/sink/calls", self.stand_in.url()),
            "auth": { "header": "X-Webhook-Token", "secret": SECRET },
            "events": ["answered", "missed", "voicemail"],
            "format": "json",
        })
    }
}

fn call(status: &str) -> Value {
    json!({ "event": "call.completed", "event_id": "evt_1", "status": status })
}

#[tokio::test]
async fn a_webhook_is_made_shown_and_changed_and_its_secret_is_shown_to_nobody() {
    let platform = Platform::start().await;
    let id = platform.create().await;
    let changed = json!({ "auth": { "header": "X-Webhook-Token", "secret": "another-long-secret" } });
    let path = format!("/{id}");
    let (status, answer) = platform.ask("PATCH", &path, &changed).await;
    assert_eq!((status, &answer["auth"]["header"]), (200, &json!("X-Webhook-Token")));
    let (_, list) = platform.ask("GET", "", &Value::Null).await;
    let (_, one) = platform.ask("GET", &path, &Value::Null).await;
    assert_eq!((list["webhooks"].as_array().unwrap().len(), &list["webhooks"][0]), (1, &one));
    assert_eq!(platform.stand_in.platform().webhooks()[0].auth.secret, "another-long-secret");
    for page in ["/stand-in/webhooks", "/stand-in/received", "/stand-in/deliveries"] {
        let url = format!("{}{page}", platform.stand_in.url());
        let shown = platform.client.get(url).send().await.unwrap().text().await.unwrap();
        assert!(!shown.contains(SECRET) && !shown.contains("another-long-secret"), "{shown}");
    }
    assert!(!format!("{list}{one}{answer}").contains("secret-"));
}

#[tokio::test]
async fn a_key_that_is_none_or_may_not_is_refused_and_so_is_a_webhook_that_there_is_not() {
    let platform = Platform::start().await;
    let id = format!("/{}", platform.create().await);
    for (key, method, path, status) in [
        ("wrong", "GET", "", 401),
        ("stand-in-reader", "GET", id.as_str(), 200),
        ("stand-in-reader", "PATCH", id.as_str(), 403),
        ("stand-in-key", "GET", "/wb_none", 404),
        ("stand-in-key", "PATCH", "/wb_none", 404),
        ("stand-in-key", "DELETE", id.as_str(), 404),
    ] {
        let body = if method == "GET" { Value::Null } else { json!({}) };
        let (answered, body) = platform.send(key, method, path, &body).await;
        assert_eq!(answered, status, "{key} {method} {path}: {body}");
        assert!(status == 200 || body["error"].is_string());
    }
}

#[tokio::test]
async fn what_the_documentation_does_not_show_is_refused_by_its_field() {
    let platform = Platform::start().await;
    for (pointer, value, field) in [
        ("/type", json!("before_call"), "type"),
        ("/format", json!("xml"), "format"),
        ("/url", json!("http://calls.example.com/"), "url"),
        ("/url", json!("https://me:secret@calls.example.com/"), "url"),
        ("/url", json!("calls"), "url"),
        ("/auth", json!("secret"), "auth"),
        ("/auth/header", json!("no header"), "auth.header"),
        ("/auth/secret", json!("short"), "auth.secret"),
        ("/auth/secret", json!("a secret with its spaces"), "auth.secret"),
        ("/events", json!([]), "events"),
        ("/events", json!(["answered", "answered"]), "events"),
        ("/events", json!(["abandoned"]), "events"),
    ] {
        let mut webhook = platform.webhook();
        *webhook.pointer_mut(pointer).unwrap() = value;
        let (status, body) = platform.ask("POST", "", &webhook).await;
        assert_eq!((status, &body["field"]), (422, &json!(field)), "{body}");
    }
    for field in ["type", "url", "auth", "events", "format"] {
        let mut webhook = platform.webhook();
        webhook.as_object_mut().unwrap().remove(field);
        assert_eq!(platform.ask("POST", "", &webhook).await.1["field"], field);
    }
    let mut webhook = platform.webhook();
    webhook["name"] = json!("calls");
    assert_eq!(platform.ask("POST", "", &webhook).await.1["field"], "name");
    assert_eq!(platform.ask("POST", "", &json!([])).await.0, 400);
    assert!(platform.stand_in.platform().webhooks().is_empty());
}

#[tokio::test]
async fn a_call_is_told_with_the_secret_of_the_moment_and_again_until_it_is_taken() {
    let platform = Platform::start().await;
    platform.create().await;
    platform.stand_in.fail(Fault::status(503).on("/sink/").times(2));
    let url = format!("{}/stand-in/place-call", platform.stand_in.url());
    let placed = platform.client.post(&url).body(call("missed").to_string()).send().await.unwrap();
    let tries: Vec<Value> = placed.json().await.unwrap();
    let statuses: Vec<_> = tries.iter().map(|tried| &tried["status"]).collect();
    assert_eq!(statuses, [503, 503, 200]);
    let received = platform.stand_in.received();
    let told = received.iter().filter(|request| request.path == "/sink/calls");
    assert!(told.clone().all(|request| request.headers["x-webhook-token"] == SECRET), "{received:?}");
    assert_eq!(told.count(), 3);

    platform.stand_in.fail(Fault::status(401).on("/sink/").endless());
    let tries = platform.stand_in.platform().place_call(&call("answered")).await;
    assert_eq!(tries.len(), 7, "once, and six times again");
    platform.stand_in.clear_faults();
    assert!(platform.stand_in.platform().place_call(&call("transferred")).await.is_empty());
    let nothing = platform.client.post(&url).body("no event").send().await.unwrap();
    assert_eq!(nothing.status(), StatusCode::BAD_REQUEST);
}
