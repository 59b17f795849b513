//! A vendor that quotes in its refusals what it was sent, in forms of its own.

use axum::{Router, http::StatusCode, routing::any};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::{App, event};

const QUOTES: &str = r#"{"message":"(408) 555-1234 of Jordan: Callback\u0020scheduled","category":"ACME 4451",
    "error":"Jordan","description":"+1 408 555 1234","details":{"Jordan":[{"description":"Callback scheduled"}]}}"#;

/// It listens for as long as this lives.
pub(crate) struct Quoting {
    pub(crate) url: String,
    _serving: AbortOnDropHandle<()>,
}

impl Quoting {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let routes = Router::new().fallback(any(async || (StatusCode::BAD_REQUEST, QUOTES)));
        let serving = tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { url, _serving: AbortOnDropHandle::new(serving) }
    }

    /// A call that this vendor refuses leaves this reason, and nothing that it quotes in a reason or a log.
    pub(crate) async fn refuses(&self, app: &App, reason: &str) {
        let worker = app.another("work").await;
        let mut event = event("evt_1", "cl_1");
        event["custom_fields"]["ticket_id"] = json!(1);
        app.deliver(&event).await;
        app.all_done().await;
        assert_eq!(app.text("select reason from attempt").await, reason);
        let log = app.process.log() + &worker.log();
        for personal in ["555-1234", "555 1234", "Callback", "ACME", "Jordan"] {
            assert!(!log.contains(personal), "{personal} in {log}");
        }
    }
}
