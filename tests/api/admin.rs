//! The second listener: probes for every process, and its place in starting and stopping.

use std::{net::TcpListener, time::Duration};

use reqwest::StatusCode;
use stand_in::Fault;

use crate::helpers::{App, Process, REPORTS, TOKEN, binary, database, event, eventually};

async fn status(url: String) -> Result<StatusCode, reqwest::Error> {
    reqwest::get(url).await.map(|answer| answer.status())
}

#[tokio::test]
async fn receivers_and_workers_answer_probes() {
    let app = App::receiver(&[]).await;
    let worker = app.another("work").await;
    for process in [&app.process, &worker] {
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(status(process.admin_url(path)).await.unwrap(), 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_worker_without_its_tables_lives_and_is_not_ready() {
    let app = App::receiver(&[]).await;
    let worker = app.another("work").await;
    sqlx::query("alter table call_event rename to gone").execute(&app.db).await.unwrap();
    let ready = worker.admin_url("/health/ready");
    eventually("it is not ready", async || status(ready.clone()).await.unwrap() == 503).await;
    assert_eq!(status(worker.admin_url("/health/live")).await.unwrap(), 200);
}

#[tokio::test]
async fn a_process_is_ready_once_its_tables_are_up_to_date() {
    let url = database::create().await;
    let db = database::connect(&url).await;
    // As while another process brings them up to date, or a migration takes long.
    let mut held = db.begin().await.unwrap();
    sqlx::query("lock table _sqlx_migrations").execute(&mut *held).await.unwrap();
    let settings = [
        ("DATABASE_URL", url),
        ("WEBHOOK_TOKEN", TOKEN.to_owned()),
        ("JOBS", "report-call".to_owned()),
        ("REPORT_URL", "http://127.0.0.1:1/".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    for command in ["receive", "work"] {
        let process = Process::spawn(Some(command), &settings);
        let served = process.says("probes, metrics and console are served").await;
        let ready = format!("http://{}/health/ready", served["address"].as_str().unwrap());
        let migrating = "select count(*) from pg_stat_activity where datname = current_database()
            and wait_event_type = 'Lock' and query like '%_sqlx_migrations%'";
        eventually("it waits", async || {
            sqlx::query_scalar::<_, i64>(migrating).fetch_one(&db).await.unwrap() > 0
        })
        .await;
        assert_eq!(status(ready).await.unwrap(), 503, "{command}");
    }
    held.rollback().await.unwrap();
    let process = Process::spawn(Some("receive"), &settings);
    let served = process.says("probes, metrics and console are served").await;
    let ready = format!("http://{}/health/ready", served["address"].as_str().unwrap());
    eventually("it is ready", async || status(ready.clone()).await.unwrap() == 200).await;
}

#[tokio::test]
async fn a_taken_address_keeps_a_process_from_starting_and_the_message_names_the_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (database, address) = (database::create().await, taken.local_addr().unwrap().to_string());
    let settings = [("DATABASE_URL", database.as_str()), ("WEBHOOK_TOKEN", TOKEN), ("ADMIN_ADDR", &address)];
    let says = format!("can't listen on {address}: set ADMIN_ADDR");
    Process::refuses("receive", &settings, &says).await;
}

#[tokio::test]
async fn probes_are_answered_until_the_last_job_has_ended() {
    let app = App::start().await;
    app.stand_in.fail(Fault::slow(Duration::from_secs(8)).on(REPORTS));
    app.deliver(&event("evt_1", "cl_1")).await;
    eventually("it is at the vendor", async || app.heard(REPORTS) == 1).await;
    app.process.signal("TERM");
    eventually("the webhook is closed", async || status(app.url()).await.is_err()).await;
    // Longer than all but the job takes to stop.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let live = app.process.admin_url("/health/live");
    assert_eq!(status(live.clone()).await.unwrap(), 200);
    assert!(app.process.logged("report-call done").is_none(), "the job has not ended");
    app.process.says("report-call done").await;
    eventually("the probes have ended", async || status(live.clone()).await.is_err()).await;
}

#[tokio::test]
async fn the_health_check_ends_well_only_for_a_process_that_is_ready() {
    let app = App::receiver(&[]).await;
    let check = async |url: String| {
        let health = tokio::process::Command::new(binary()).args(["health", &url]).output().await.unwrap();
        (health.status.success(), String::from_utf8(health.stderr).unwrap())
    };
    for url in [app.process.admin_url("/health/ready"), app.process.url("/health/ready")] {
        assert_eq!(check(url).await, (true, String::new()));
    }
    sqlx::query("alter table call_event rename to gone").execute(&app.db).await.unwrap();
    eventually("it says 503", async || {
        let (well, says) = check(app.process.admin_url("/health/ready")).await;
        !well && says.contains("503")
    })
    .await;
    let (well, says) = check("http://127.0.0.1:1/health/ready".to_owned()).await;
    assert!(!well && says.contains("it does not answer"), "{says}");
}
