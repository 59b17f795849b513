//! A job that fails and comes back.

use std::time::Duration;

use serde_json::json;
use sqlx::postgres::PgListener;
use stand_in::Fault;
use tokio::time::timeout;

use crate::helpers::{App, DEADLINE, REPORTS, database, event, eventually, told};

/// When each attempt began, in seconds since the first.
async fn starts(app: &App) -> Vec<f64> {
    let query = "select extract(epoch from started_at - min(started_at) over ())::float8 from attempt order by number";
    sqlx::query_scalar(query).fetch_all(&app.db).await.unwrap()
}

#[tokio::test]
async fn three_failures_leave_growing_gaps_in_the_databases_run_at_over_a_restart_of_the_worker() {
    let app = App::receiver(&[("JOB_RETRY_FIRST", "3s")]).await;
    app.stand_in.fail(Fault::status(500).on(REPORTS).times(3));
    let mut worker = Some(app.another("work").await);
    app.deliver(&event("evt_1", "cl_1")).await;

    for (attempt, wait) in [(1, 3.0), (2, 6.0), (3, 12.0)] {
        // What is due when is in the database, and no worker is needed to remember it. The wait was counted from some time
        // between the attempt's start and its end, however long those took.
        let query = "
            select extract(epoch from run_at - started_at)::float8, extract(epoch from run_at - ended_at)::float8
            from apalis.jobs, attempt where number = $1 and result = 'retry'";
        let mut found = None;
        eventually("the attempt has failed", async || {
            found = sqlx::query_as(query).bind(attempt).fetch_optional(&app.db).await.unwrap();
            found.is_some()
        })
        .await;
        let (since_start, since_end): (f64, f64) = found.unwrap();
        assert!(since_start >= wait, "attempt {attempt}: {since_start} s from its start");
        assert!(since_end <= wait * 1.1, "attempt {attempt}: {since_end} s from its end");
        if attempt == 2 {
            worker.take().unwrap().terminate().await;
            worker = Some(app.another("work").await);
        }
    }
    app.all_done().await;
    let starts = starts(&app).await;
    assert_eq!(starts.len(), 4);
    assert!(starts[3] - starts[2] >= 12.0, "{starts:?}");
    assert_eq!(app.reported(), 1);
}

#[tokio::test]
async fn a_429_with_retry_after_7_runs_again_after_7_seconds() {
    let app = App::start().await;
    app.stand_in.fail(Fault::rate_limited(Some(7)).on(REPORTS));
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let starts = starts(&app).await;
    assert_eq!(starts.len(), 2);
    assert!((7.0..60.0).contains(&starts[1]), "{starts:?}");
}

#[tokio::test]
async fn a_422_gives_up_at_once_and_says_why() {
    let app = App::start().await;
    app.stand_in.fail(Fault::status(422).on(REPORTS));
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    assert_eq!(app.text("select status from apalis.jobs").await, "Killed");
    assert_eq!(app.text("select result from attempt").await, "given_up");
    assert!(app.text("select reason from attempt").await.starts_with("REPORT_URL answered 422"));
    assert_eq!(app.heard(REPORTS), 1);
    app.process.says("report-call given up").await;
}

#[tokio::test]
async fn after_a_lost_reply_the_vendor_holds_one_call() {
    let app = App::start().await;
    // Twice: a broken connection is tried once more at once.
    app.stand_in.fail(Fault::lose_reply().on(REPORTS).times(2));
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    assert_eq!((app.heard(REPORTS), app.reported()), (3, 1));
    assert_eq!(app.count("select count(*) from attempt").await, 2);
    assert_eq!(app.count("select count(*) from receipt").await, 1);
}

#[tokio::test]
async fn a_vendor_that_does_not_answer_is_cut_off_by_the_time_limit() {
    let app = App::with(&[("JOB_TIMEOUT", "1s")]).await;
    app.stand_in.fail(Fault::slow(Duration::from_secs(5)).on(REPORTS));
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    assert_eq!(
        app.text("select reason from attempt where number = 1").await,
        "it took longer than 1s (JOB_TIMEOUT)"
    );
    assert_eq!(app.reported(), 1);
}

#[tokio::test]
async fn a_job_that_fails_for_too_long_is_given_up_with_its_last_error() {
    let app = App::with(&[("JOB_GIVE_UP_AFTER", "2s")]).await;
    app.stand_in.fail(Fault::status(503).on(REPORTS).endless());
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    assert_eq!(app.text("select status from apalis.jobs").await, "Killed");
    let reason = app.text("select reason from attempt order by number desc limit 1").await;
    assert!(
        reason.starts_with("REPORT_URL answered 503")
            && reason.ends_with("(given up after 2s, JOB_GIVE_UP_AFTER)"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_job_whose_receipt_is_there_is_not_run_again() {
    let app = App::start().await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    // As after a crash between the receipt and apalis' acknowledgement.
    sqlx::query("update apalis.jobs set status = 'Pending', run_at = now(), lock_by = null, done_at = null")
        .execute(&app.db)
        .await
        .unwrap();
    eventually("it has run", async || app.count("select count(*) from attempt").await == 2).await;
    app.all_done().await;
    assert_eq!(app.heard(REPORTS), 1);
    assert_eq!(
        app.text("select reason from attempt where number = 2").await,
        "its receipt was there already"
    );
}

#[tokio::test]
async fn a_receipt_from_another_origin_does_not_count() {
    let app = App::receiver(&[]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    sqlx::query(
        "insert into receipt values ('evt_1', 'report-call', 'https://sandbox.example', 'delivery', '1')",
    )
    .execute(&app.db)
    .await
    .unwrap();
    let _worker = app.another("work").await;
    app.all_done().await;
    assert_eq!(app.reported(), 1);
}

#[tokio::test]
async fn the_job_of_a_worker_that_was_killed_is_done_by_another() {
    let app = App::receiver(&[]).await;
    let worker = app.another("work").await;
    app.stand_in.fail(Fault::slow(Duration::from_secs(8)).on(REPORTS));
    app.deliver(&event("evt_1", "cl_1")).await;
    eventually("it is at the vendor", async || app.heard(REPORTS) == 1).await;
    worker.kill().await;
    // A minute later its heartbeats are missed; here the minute is over.
    sqlx::query("update apalis.workers set last_seen = now() - interval '61 s'")
        .execute(&app.db)
        .await
        .unwrap();
    let _other = app.another("work").await;
    app.all_done().await;
    assert_eq!(app.reported(), 1);
    assert_eq!(
        app.count("select count(*) from attempt where ended_at is null").await,
        1,
        "the crash is on record"
    );
    assert_eq!(app.count("select count(*) from receipt").await, 1);
}

#[tokio::test]
async fn a_receiver_needs_no_setting_of_a_vendor() {
    let app = App::receiver(&[("REPORT_URL", "")]).await;
    app.deliver(&json!({ "event": "call.completed", "call_id": "cl_1" })).await;
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 1);
}

#[tokio::test]
async fn a_process_that_loses_its_database_goes_on_when_it_is_back() {
    let app = App::start().await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let name = app.text("select current_database()").await;
    database::run(&format!("alter database {name} allow_connections false")).await;
    database::run(&format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    ))
    .await;
    app.process.says("jobs can't be fetched").await;
    database::run(&format!("alter database {name} allow_connections true")).await;
    let again = || told(app.post(event("evt_2", "cl_2").to_string()));
    eventually("it stores again", async || again().await.0 == 200).await;
    eventually("it works again", async || app.reported() == 2).await;
}

#[tokio::test]
async fn every_new_job_wakes_the_workers_and_none_waits_for_the_next_full_second() {
    let app = App::receiver(&[]).await;
    let mut listener = PgListener::connect_with(&app.db).await.unwrap();
    listener.listen("apalis::job::insert").await.unwrap();
    for n in 0..10 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    for n in 0..10 {
        // apalis notifies of what is due, and of nothing later.
        let heard = timeout(DEADLINE, listener.recv()).await;
        heard.unwrap_or_else(|_| panic!("{n} notifications of 10 jobs")).unwrap();
    }
}
