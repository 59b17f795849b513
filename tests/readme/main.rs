//! The README's example of a job of one's own: it stands there word for word, compiles, runs, and leaves its receipt.

#![expect(unreachable_pub, reason = "the example is written for `src/`")]

mod jobs {
    pub mod tell_chat;
}
#[path = "../../src/receive/mod.rs"]
mod receive;
mod settings;

use std::time::Duration;

use axum::{Json, Router, routing::post};
use engine::{app::Roles, cli::App, job::on, package};
use jobs::tell_chat::TellChat;
use local_postgres::LocalPostgres;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

#[test]
fn the_readme_shows_the_example_word_for_word() {
    let (readme, example) = (include_str!("../../README.md"), include_str!("jobs/tell_chat.rs"));
    assert!(
        readme.contains(&format!("```rust\n{example}```")),
        "README.md and tests/readme/jobs/tell_chat.rs differ"
    );
}

#[tokio::test]
async fn the_example_runs_and_leaves_its_receipt() {
    let (told, mut chat) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let chat_url = format!("--chat-url=http://{}/hook", listener.local_addr().unwrap());
    let hear = async move |Json(message): Json<Value>| told.send(message).unwrap();
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(hear))).into_future());

    let postgres = tokio::task::spawn_blocking(LocalPostgres::start_throwaway).await.unwrap().unwrap();
    let url = postgres.url("postgres");
    let app = App::new(package!(), &receive::after_call::PLATFORM, receive::routes, &[on::<TellChat>()], "");
    let arguments = ["aftercall", "--listen-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", &chat_url];
    let mut source = app.source(arguments.map(Into::into).to_vec()).unwrap();
    source.set("DATABASE_URL", url.clone());
    source.set("WEBHOOK_TOKEN", "a-long-random-secret".to_owned());
    let running = app.start(&source, Roles { receive: true, work: true }).await.unwrap();

    let webhook = format!("http://{}/webhooks/after-call", running.address.unwrap());
    for status in ["answered", "missed"] {
        let event = json!({ "event": "call.completed", "event_id": status, "call_id": format!("cl_{status}"), "status": status });
        let request = reqwest::Client::new()
            .post(&webhook)
            .header("X-Webhook-Token", "a-long-random-secret")
            .json(&event);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let pool = PgPool::connect(&url).await.unwrap();
    let receipts = async {
        loop {
            let receipts: Vec<(String, String, String)> =
                sqlx::query_as("select job, made, external_id from receipt").fetch_all(&pool).await.unwrap();
            if !receipts.is_empty() {
                return receipts;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let receipts = timeout(Duration::from_mins(1), receipts).await.unwrap();
    assert_eq!(receipts, [("tell-chat".to_owned(), "message".to_owned(), "cl_missed".to_owned())]);
    assert_eq!(chat.recv().await.unwrap(), json!({ "text": "Missed call cl_missed" }));
    assert!(chat.try_recv().is_err(), "it was told of one call");
    running.stop().await.unwrap();
}
