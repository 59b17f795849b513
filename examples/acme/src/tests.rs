//! The whole of it over a real Postgres: Aircall's deliveries over HTTP, and vendors that remember what they were told.

use std::{
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, patch, post, put},
};
use engine::app::{Roles, Running};
use local_postgres::LocalPostgres;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{net::TcpListener, time::sleep};

const TOKEN: &str = "45f8a1c2d3e4b5a697887766";

/// What the vendors hold.
#[derive(Default)]
struct Held {
    tasks: Vec<(String, Value)>,
    notes: Vec<String>,
    reports: Vec<Value>,
    /// The next note is written, and its answer is an error.
    fails_after_writing: bool,
}

#[derive(Clone, Default)]
struct Vendors(Arc<Mutex<Held>>);

impl Vendors {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts them; returns their origin.
    async fn start(&self) -> String {
        let router = Router::new()
            .route("/services/data/{version}/sobjects/Task/Call_Id__c/{id}", patch(upsert))
            .route("/api/v2/tickets/{id}/conversations", get(conversations))
            .route("/api/v2/tickets/{id}/notes", post(note))
            .route("/api/v2/conversations/{id}", put(change))
            .route("/reports", post(report))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("it has an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        origin
    }
}

async fn upsert(
    State(vendors): State<Vendors>,
    Path((_, id)): Path<(String, String)>,
    Json(task): Json<Value>,
) -> Json<Value> {
    let tasks = &mut vendors.held().tasks;
    match tasks.iter_mut().find(|(known, _)| *known == id) {
        Some((_, known)) => *known = task,
        None => tasks.push((id.clone(), task)),
    }
    Json(json!({ "id": format!("00T{id}"), "success": true }))
}

async fn conversations(State(vendors): State<Vendors>) -> Json<Value> {
    let plain = |note: &String| note.replace("</div>", "\n").replace("<div>", "");
    let notes = &vendors.held().notes;
    let notes = notes.iter().enumerate().map(|(id, note)| json!({ "id": id, "body_text": plain(note) }));
    Json(notes.collect())
}

async fn note(State(vendors): State<Vendors>, Json(note): Json<Value>) -> (StatusCode, Json<Value>) {
    let held = &mut vendors.held();
    held.notes.push(note["body"].as_str().unwrap_or_default().to_owned());
    if std::mem::take(&mut held.fails_after_writing) {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(Value::Null));
    }
    (StatusCode::CREATED, Json(json!({ "id": held.notes.len() - 1 })))
}

async fn change(
    State(vendors): State<Vendors>,
    Path(id): Path<usize>,
    Json(note): Json<Value>,
) -> Json<Value> {
    vendors.held().notes[id] = note["body"].as_str().unwrap_or_default().to_owned();
    Json(json!({ "id": id }))
}

async fn report(State(vendors): State<Vendors>, Json(report): Json<Value>) -> Json<Value> {
    vendors.held().reports.push(report);
    Json(Value::Null)
}

/// The program, its database and its vendors.
struct Acme {
    running: Running,
    vendors: Vendors,
    database: PgPool,
    _postgres: LocalPostgres,
}

impl Acme {
    async fn start() -> Self {
        let starting = tokio::task::spawn_blocking(LocalPostgres::start_throwaway);
        let postgres = starting.await.expect("it does not panic").expect("a Postgres");
        let vendors = Vendors::default();
        let origin = vendors.start().await;
        let arguments = [
            "acme --listen-addr=127.0.0.1:0 --admin-addr=127.0.0.1:0 --job-retry-first=1s",
            "--jobs=log-call,note-ticket,report-call",
            &format!("--salesforce-url={origin} --freshdesk-url={origin} --report-url={origin}/reports"),
        ]
        .join(" ");
        let app = crate::app();
        let mut source = app.source(arguments.split(' ').map(Into::into).collect()).expect("settings");
        for (name, value) in [
            ("DATABASE_URL", postgres.url("postgres")),
            ("WEBHOOK_TOKEN", TOKEN.to_owned()),
            ("SALESFORCE_TOKEN", "key".to_owned()),
            ("FRESHDESK_KEY", "key".to_owned()),
        ] {
            source.set(name, value);
        }
        let running = app.start(&source, Roles { receive: true, work: true }).await.expect("it starts");
        let database = PgPool::connect(&postgres.url("postgres")).await.expect("it is there");
        Self { running, vendors, database, _postgres: postgres }
    }

    /// The status of the answer to this event; as the platform does, it tries again where a busy machine answers 503.
    async fn deliver(&self, event: &Value) -> u16 {
        let address = self.running.address.expect("it receives");
        let request =
            reqwest::Client::new().post(format!("http://{address}/webhooks/aircall")).body(event.to_string());
        loop {
            let answer = request.try_clone().expect("a text").send().await.expect("it answers");
            if answer.status() != 503 {
                return answer.status().as_u16();
            }
        }
    }

    /// Waits until every job is at its end.
    async fn all_done(&self) {
        let open = "select count(*) from call_job where state not in ('done', 'skipped')";
        for _ in 0..1200 {
            let open: i64 =
                sqlx::query_scalar(open).fetch_one(&self.database).await.expect("it can be asked");
            if open == 0 {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("some jobs never end");
    }
}

/// A step of call 812, which an agent has tagged with a ticket.
fn event(event: &str, timestamp: u64, recording: Option<&str>) -> Value {
    json!({
        "resource": "call", "event": event, "timestamp": timestamp, "token": TOKEN,
        "data": {
            "id": 812, "direction": "inbound", "status": "done", "raw_digits": "+33 1 76 36 06 95", "started_at": 1_584_998_199,
            "answered_at": 1_584_998_205, "ended_at": 1_585_001_017, "duration": 2818, "recording": recording,
            "user": { "id": 456, "name": "Jordan <b>" }, "number": { "id": 123, "name": "Support", "digits": "+14085559876" },
            "tags": [{ "id": 9, "name": "ticket:35436" }], "cost": "0.12",
        },
    })
}

#[test]
fn the_example_says_of_each_setting_what_its_field_does() {
    let example = include_str!("../.env.example");
    let folder = std::env::temp_dir().join(format!("acme-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(".env.example"), example).expect("it takes a file");
    let source = crate::app().source(vec!["acme".into()]).expect("no secret is set twice");
    engine::dev::settings::write(&source, &folder).expect("it has the place for it");
    let written = fs::read_to_string(folder.join(".env.example")).expect("it was written");
    fs::remove_dir_all(folder).expect("it is ours");
    assert!(written == example, ".env.example is not what the fields say: run `cargo xtask settings`");
}

const RECORDING: &str = "https://recordings.example/812.mp3";

#[tokio::test]
async fn a_recording_that_comes_later_reaches_crm_and_ticket_and_the_call_is_reported_once() {
    let acme = Acme::start().await;
    assert_eq!(acme.deliver(&event("call.created", 1_584_998_199, None)).await, 200);
    assert_eq!(acme.deliver(&event("call.ended", 1_585_001_020, None)).await, 200);
    acme.all_done().await;
    assert!(!acme.vendors.held().notes[0].contains(RECORDING));
    assert_eq!(acme.deliver(&event("call.comm_assets_generated", 1_585_001_200, Some(RECORDING))).await, 200);
    acme.all_done().await;
    let held = acme.vendors.held();
    assert_eq!((held.tasks.len(), held.notes.len(), held.reports.len()), (1, 1, 1));
    assert_eq!(held.tasks[0].1["Recording_Url__c"], RECORDING);
    assert!(
        held.notes[0].contains(RECORDING) && held.notes[0].ends_with("<div>Call 812</div>"),
        "{:?}",
        held.notes
    );
    assert!(held.notes[0].contains("Jordan &lt;b&gt;"), "the platform's text is escaped: {:?}", held.notes);
    assert_eq!(held.reports[0]["data"]["extra"]["cost"], "0.12");
}

#[tokio::test]
async fn two_events_at_once_and_a_lost_answer_leave_one_note() {
    let acme = Acme::start().await;
    acme.vendors.held().fails_after_writing = true;
    let (end, recorded) = (
        event("call.ended", 1_585_001_020, None),
        event("call.comm_assets_generated", 1_585_001_200, Some(RECORDING)),
    );
    let answers = tokio::join!(acme.deliver(&end), acme.deliver(&recorded), acme.deliver(&end));
    assert_eq!(answers, (200, 200, 200));
    acme.all_done().await;
    let held = acme.vendors.held();
    assert_eq!((held.tasks.len(), held.notes.len(), held.reports.len()), (1, 1, 1));
    assert!(held.notes[0].contains(RECORDING), "{:?}", held.notes);
}

#[tokio::test]
async fn the_token_in_the_body_admits_and_is_stored_nowhere() {
    let acme = Acme::start().await;
    let mut event = event("call.ended", 1_585_001_020, None);
    assert_eq!(acme.deliver(&event).await, 200);
    let stored =
        "select convert_from(body, 'UTF8') || coalesce(details::text, '') || headers from call_event";
    let stored: String = sqlx::query_scalar(stored).fetch_one(&acme.database).await.expect("one row");
    assert!(!stored.contains(TOKEN) && stored.contains(&"*".repeat(TOKEN.len())), "{stored}");
    // What is odd beside it, and what Postgres can't hold, keep no call out.
    event["timestamp"] = json!(1_585_001_021);
    event["data"]["user"]["name"] = json!("Jor\u{0}dan");
    event["data"]["started_at"] = json!(1_584_998_199_000_i64);
    assert_eq!(acme.deliver(&event).await, 200);
    let shown =
        "select agent_name || ' ' || array_to_string(problems, ',') from stored_event where problems <> '{}'";
    let shown: String = sqlx::query_scalar(shown).fetch_one(&acme.database).await.expect("one row");
    assert_eq!(shown, "Jor\u{FFFD}dan started_at is out of range");
    event["token"] = json!("guessed");
    assert_eq!(acme.deliver(&event).await, 401);
    event["token"] = Value::Null;
    assert_eq!(acme.deliver(&event).await, 403);
    let count: i64 = sqlx::query_scalar("select count(*) from call_event")
        .fetch_one(&acme.database)
        .await
        .expect("a count");
    assert_eq!(count, 2);
}
