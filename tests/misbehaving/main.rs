//! A job that panics, hangs, or takes its whole process along, each beside nine good ones: the nine are done, the tenth is
//! tried again and then given up with its cause readable in `call_job`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{process::Command, time::Duration};

use aftercall::{
    app::{self, Roles, Running},
    call::Call,
    config::{Config, ConfigError},
    job::{Job, JobError, JobKind, Outcome},
};
use clap::{Args, FromArgMatches};
use local_postgres::LocalPostgres;
use serde_json::json;
use sqlx::PgPool;
use tokio::time::timeout;

/// The call that the jobs below stumble over.
const BAD: &str = "cl_3";

/// Declares a job that does its work for every call but the bad one.
macro_rules! stumbles {
    ($job:ident, $name:literal, $how:expr) => {
        struct $job;

        impl Job for $job {
            const NAME: &'static str = $name;

            fn new(_: &Config) -> Result<Self, ConfigError> {
                Ok(Self)
            }

            fn destination(&self) -> String {
                "https://vendor.example".to_owned()
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

fn config(url: &str, job: &str) -> Config {
    let arguments = ["aftercall", "--listen-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--jobs", job];
    let impatient =
        ["--job-timeout=1s", "--job-retry-first=1s", "--job-retry-max=1s", "--job-give-up-after=1s"];
    let command = Config::augment_args(clap::Command::new("aftercall"));
    let matches = command.get_matches_from(arguments.into_iter().chain(impatient));
    let mut config = Config::from_arg_matches(&matches).unwrap();
    config.database_url = Some(url.into());
    config.webhook.token = Some("a-long-random-secret".into());
    config
}

async fn server() -> LocalPostgres {
    tokio::task::spawn_blocking(LocalPostgres::start_throwaway).await.unwrap().unwrap()
}

async fn deliver_ten(running: &Running) {
    let webhook = format!("http://{}/webhooks/after-call", running.address.unwrap());
    for n in 0..10 {
        let event = json!({ "event": "call.completed", "event_id": format!("evt_{n}"), "call_id": format!("cl_{n}") });
        let request = reqwest::Client::new()
            .post(&webhook)
            .header("X-Webhook-Token", "a-long-random-secret")
            .json(&event);
        // As the platform does, it tries again where a busy machine answers 503.
        while request.try_clone().unwrap().send().await.unwrap().status() != 200 {}
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

async fn run<J: Job>() -> (String, String, i32) {
    let postgres = server().await;
    let url = postgres.url("postgres");
    let both = Roles { receive: true, work: true };
    let running = app::start(config(&url, J::NAME), both, &[JobKind::of::<J>()]).await.unwrap();
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
    let running = app::start(config(&url, Aborts::NAME), receive, &[JobKind::of::<Aborts>()]).await.unwrap();
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
    let running = app::start(config(&url, Aborts::NAME), work, &[JobKind::of::<Aborts>()]).await.unwrap();
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
    let _running = app::start(config(&url, Aborts::NAME), work, &[JobKind::of::<Aborts>()]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
}
