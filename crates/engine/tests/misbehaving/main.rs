//! A job that panics, hangs, or takes its whole process along, each beside nine good ones: the nine are done, the tenth is
//! tried again and then given up with its cause readable in `call_job`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{process::Command, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    routing::post,
};
use clap::Args;
use engine::{
    answer::{Accepted, Refused},
    app::{Roles, Running},
    call::Call,
    cli::App,
    config::{ConfigError, Source},
    fields::{Fields, Malformed},
    job::{Job, JobError, Outcome, on},
    package,
    platform::Platform,
    receiver::Receiver,
};
use local_postgres::LocalPostgres;
use serde_json::json;
use sqlx::PgPool;
use tokio::time::timeout;

/// The call that the jobs below stumble over.
const BAD: &str = "cl_3";

/// What the parser below stumbles over.
const UNREADABLE: &str = "cl_unreadable";

/// What the jobs below stumble over when they are asked whether they want it.
const UNWANTED: &str = "cl_unwanted";

static PLATFORM: Platform = Platform {
    name: "misbehaving",
    parse,
    sample: |_, _| json!({}),
    write: |_, _| {},
    defaults: &[],
    form: |form| form.webhook.clone(),
    recording_header: "Authorization",
};

fn parse(body: &[u8]) -> Result<Call, Malformed> {
    let text = String::from_utf8_lossy(body);
    let mut fields = Fields::of(&text)?;
    let (event, call_id, event_id) =
        (fields.required("event")?, fields.required("call_id")?, fields.required("event_id")?);
    assert_ne!(call_id, UNREADABLE);
    Ok(Call { event, call_id, event_id, ..Call::default() })
}

fn routes(receiver: Receiver) -> Router {
    async fn take(State(receiver): State<Receiver>, request: Request) -> Result<Accepted, Refused> {
        let verified = receiver.guard.admit(request).await?;
        let call = verified.read(&PLATFORM)?;
        receiver.inbox.store(verified, call).await
    }
    Router::new().route("/webhook", post(take)).with_state(receiver)
}

#[derive(Debug, Args)]
struct NoSettings {}

/// Declares a job that does its work for every call but the bad one.
macro_rules! stumbles {
    ($job:ident, $name:literal, $how:expr) => {
        struct $job;

        impl Job for $job {
            const NAME: &'static str = $name;

            type Settings = NoSettings;

            fn new(_: &NoSettings) -> Result<Self, ConfigError> {
                Ok(Self)
            }

            fn destination(&self) -> String {
                "https://vendor.example".to_owned()
            }

            fn wants(call: &Call, _: &NoSettings) -> bool {
                assert_ne!(call.call_id, UNWANTED);
                true
            }

            async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
                if call.call_id == BAD {
                    $how.await;
                }
                Ok(Outcome::done("note", call.call_id.as_str()).into())
            }
        }
    };
}

stumbles!(Panics, "panics", async { panic!("it stumbled over this call") });
stumbles!(Hangs, "hangs", std::future::pending::<()>());
stumbles!(Aborts, "aborts", async { std::process::abort() });

fn app<J: Job<Settings = NoSettings>>() -> App {
    App::new(package!(), &PLATFORM, routes, &[on::<J>()], "")
}

fn source(app: &App, url: &str) -> Source {
    let arguments = [
        "misbehaving",
        "--listen-addr=127.0.0.1:0",
        "--admin-addr=127.0.0.1:0",
        "--job-timeout=1s",
        "--job-retry-first=1s",
        "--job-retry-max=1s",
        "--job-give-up-after=1s",
    ];
    let mut source = app.source(arguments.map(Into::into).to_vec()).unwrap();
    source.set("DATABASE_URL", url.to_owned());
    source.set("WEBHOOK_TOKEN", "a-long-random-secret".to_owned());
    source
}

async fn start<J: Job<Settings = NoSettings>>(url: &str, roles: Roles) -> Running {
    let app = app::<J>();
    app.start(&source(&app, url), roles).await.unwrap()
}

async fn server() -> LocalPostgres {
    tokio::task::spawn_blocking(LocalPostgres::start_throwaway).await.unwrap().unwrap()
}

/// The status of the answer to this call; as the platform does, it tries again where a busy machine answers 503.
async fn deliver(running: &Running, event_id: &str, call_id: &str) -> u16 {
    let event = json!({ "event": "call.completed", "event_id": event_id, "call_id": call_id });
    let request = reqwest::Client::new()
        .post(format!("http://{}/webhook", running.address.unwrap()))
        .header("X-Webhook-Token", "a-long-random-secret")
        .json(&event);
    loop {
        let status = request.try_clone().unwrap().send().await.unwrap().status().as_u16();
        if status != 503 {
            return status;
        }
    }
}

async fn deliver_ten(running: &Running) {
    for n in 0..10 {
        assert_eq!(deliver(running, &format!("evt_{n}"), &format!("cl_{n}")).await, 200);
    }
}

/// The state of the bad call's job and why, once all ten have come to their end.
async fn end(pool: &PgPool) -> (String, String, i32) {
    let waiting = async {
        loop {
            let open = "select count(*) from call_job where state not in ('done', 'given up')";
            let open: i64 = sqlx::query_scalar(open).fetch_one(pool).await.unwrap();
            if open == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_mins(2), waiting).await.expect("not all of them end");
    let done: i64 = sqlx::query_scalar("select count(*) from call_job where state = 'done'")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(done, 9);
    let bad = "select state, last_reason, attempts from call_job where call_id = 'cl_3'";
    sqlx::query_as(bad).fetch_one(pool).await.unwrap()
}

async fn run<J: Job<Settings = NoSettings>>() -> (String, String, i32) {
    let postgres = server().await;
    let url = postgres.url("postgres");
    let both = Roles { receive: true, work: true };
    let running = start::<J>(&url, both).await;
    deliver_ten(&running).await;
    let end = end(&PgPool::connect(&url).await.unwrap()).await;
    running.stop().await.unwrap();
    end
}

#[tokio::test]
async fn a_job_that_panics_is_tried_again_and_given_up_with_its_message() {
    let (state, reason, attempts) = run::<Panics>().await;
    assert_eq!(state, "given up");
    assert!(reason.starts_with("it panicked: it stumbled over this call (given up after 1s"), "{reason}");
    assert!(attempts > 1, "{attempts} attempts");
}

#[tokio::test]
async fn a_job_that_hangs_is_cut_off_tried_again_and_given_up() {
    let (state, reason, attempts) = run::<Hangs>().await;
    assert_eq!(state, "given up");
    assert!(reason.starts_with("it took longer than 1s (JOB_TIMEOUT) (given up after 1s"), "{reason}");
    assert!(attempts > 1, "{attempts} attempts");
}

#[tokio::test]
async fn a_job_that_takes_its_process_along_is_given_up_after_five_crashes() {
    let postgres = server().await;
    let url = postgres.url("postgres");
    let receive = Roles { receive: true, work: false };
    let running = start::<Aborts>(&url, receive).await;
    deliver_ten(&running).await;
    running.stop().await.unwrap();

    let pool = PgPool::connect(&url).await.unwrap();
    for _ in 0..5 {
        let url = url.clone();
        let worker = tokio::task::spawn_blocking(move || {
            Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "a_worker_that_a_job_takes_along"])
                .env("WORKER_DATABASE", url)
                .output()
                .unwrap()
        });
        assert!(!worker.await.unwrap().status.success(), "the job took it along");
        // A minute later its heartbeats are missed; here the minute is over.
        sqlx::query("update apalis.workers set last_seen = now() - interval '61 s'")
            .execute(&pool)
            .await
            .unwrap();
    }
    let work = Roles { receive: false, work: true };
    let running = start::<Aborts>(&url, work).await;
    let (state, reason, attempts) = end(&pool).await;
    assert_eq!(
        (state.as_str(), reason.as_str()),
        ("given up", "its process died 5 times in the middle of it")
    );
    assert_eq!(attempts, 6);
    running.stop().await.unwrap();
}

#[tokio::test]
#[ignore = "run by a_job_that_takes_its_process_along_is_given_up_after_five_crashes"]
async fn a_worker_that_a_job_takes_along() {
    let url = std::env::var("WORKER_DATABASE").unwrap();
    let work = Roles { receive: false, work: true };
    let _running = start::<Aborts>(&url, work).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
}

#[tokio::test]
async fn a_delivery_over_which_the_parser_panics_is_refused_and_the_next_one_is_stored() {
    let postgres = server().await;
    let running = start::<Panics>(&postgres.url("postgres"), Roles { receive: true, work: false }).await;
    assert_eq!(deliver(&running, "evt_1", UNREADABLE).await, 400);
    assert_eq!(deliver(&running, "evt_2", "cl_2").await, 200);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_call_over_which_a_job_panics_when_it_is_asked_is_stored_with_its_job_and_so_is_the_next() {
    let postgres = server().await;
    let url = postgres.url("postgres");
    let running = start::<Panics>(&url, Roles { receive: true, work: false }).await;
    assert_eq!(deliver(&running, "evt_1", UNWANTED).await, 200);
    assert_eq!(deliver(&running, "evt_2", "cl_2").await, 200);
    let pool = PgPool::connect(&url).await.unwrap();
    let jobs: i64 = sqlx::query_scalar("select count(*) from apalis.jobs").fetch_one(&pool).await.unwrap();
    assert_eq!(jobs, 2);
    running.stop().await.unwrap();
}
