//! The README's example of a job of one's own: it stands there word for word, compiles, runs, and leaves its receipt.

// The example is written for `src/jobs/`; these names give it that place here.
use aftercall::{call, config, job, vendor};

mod jobs {
    #[expect(unreachable_pub, reason = "it is in `src/jobs/`, where the list can reach it")]
    pub(crate) mod tell_chat;
}

use std::{process::Command, time::Duration};

use aftercall::{
    app::{self, Roles},
    job::JobKind,
};
use axum::{Json, Router, routing::post};
use clap::{Args, FromArgMatches};
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

/// The example takes its address from the environment, and a process' own can't be changed safely: the run below is
/// another process of this test.
#[tokio::test]
async fn the_example_runs_and_leaves_its_receipt() {
    let (told, mut chat) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let hear = async move |Json(message): Json<Value>| told.send(message).unwrap();
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(hear))).into_future());

    let run = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "with_the_chat_in_the_environment", "--nocapture"])
            .env("CHAT_URL", url)
            .output()
            .unwrap()
    });
    let output = run.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(chat.recv().await.unwrap(), json!({ "text": "Missed call cl_missed" }));
    assert!(chat.try_recv().is_err(), "it was told of one call");
}

#[tokio::test]
#[ignore = "run by the_example_runs_and_leaves_its_receipt, with CHAT_URL set"]
async fn with_the_chat_in_the_environment() {
    let postgres = tokio::task::spawn_blocking(LocalPostgres::start_throwaway).await.unwrap().unwrap();
    let url = postgres.url("postgres");
    let arguments =
        ["aftercall", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--jobs", "tell-chat"];
    let matches = config::Config::augment_args(clap::Command::new("aftercall")).get_matches_from(arguments);
    let mut config = config::Config::from_arg_matches(&matches).unwrap();
    config.database_url = Some(url.clone().into());
    config.webhook.token = Some("a-long-random-secret".into());
    let running =
        app::start(config, Roles { receive: true, work: true }, &[JobKind::of::<TellChat>()]).await.unwrap();

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
    running.stop().await.unwrap();
}
