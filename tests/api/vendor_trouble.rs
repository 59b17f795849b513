//! A vendor in trouble: its jobs wait and burn no attempt, other vendors' jobs don't notice.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use stand_in::Fault;

use crate::helpers::{App, REPORTS, SAMPLE, event, eventually, quoting::Quoting};

const BOTH: (&str, &str) = ("JOBS", "report-call,review-call");

/// Delivers missed calls, which both jobs want.
async fn deliver(app: &App, calls: std::ops::Range<usize>) {
    for n in calls {
        let mut event = event(&format!("evt_{n}"), &format!("cl_{n}"));
        event["status"] = json!("missed");
        app.deliver(&event).await;
    }
}

async fn failures(app: &App) -> i64 {
    app.count("select count(*) from attempt where result in ('retry', 'given_up')").await
}

/// When reports were sent to their vendor, and what it answered.
fn reports(app: &App) -> Vec<(DateTime<Utc>, Option<u16>)> {
    let requests = app.stand_in.received();
    requests
        .iter()
        .filter(|request| request.path == REPORTS)
        .map(|request| (request.at, request.status))
        .collect()
}

#[tokio::test]
async fn a_429_pauses_all_jobs_of_that_vendor_and_none_of_another() {
    let app = App::with(&[BOTH]).await;
    app.stand_in.fail(Fault::rate_limited(Some(12)).on(REPORTS));
    deliver(&app, 0..1).await;
    eventually("the vendor asks for a pause", async || reports(&app).len() == 1).await;
    app.process.says("its jobs wait").await;
    deliver(&app, 1..5).await;
    let reviews = "select count(*) from receipt where job = 'review-call'";
    eventually("the other vendor has them all", async || app.count(reviews).await == 5).await;
    app.all_done().await;
    let asked = reports(&app);
    assert!(asked[1].0 - asked[0].0 >= TimeDelta::seconds(12), "it is left in peace meanwhile: {asked:?}");
    assert_eq!(asked.iter().filter(|(_, status)| *status == Some(429)).count(), 1);
    assert_eq!(failures(&app).await, 0, "nobody's attempt was burned");
    app.process.says("it is well again").await;
}

#[tokio::test]
async fn an_outage_is_met_with_a_few_probes_and_everything_is_done_soon_after_it() {
    let app = App::with(&[BOTH]).await;
    app.stand_in.fail(Fault::status(503).on(REPORTS).endless());
    deliver(&app, 0..20).await;
    app.process.says("its jobs wait").await;
    let reviews = "select count(*) from receipt where job = 'review-call'";
    eventually("the other vendor's jobs don't notice", async || app.count(reviews).await == 20).await;
    let before = reports(&app).len();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let probes = reports(&app).len() - before;
    assert!(probes <= 8, "{probes} requests in 8 s of an outage");

    app.stand_in.clear_faults();
    let mended = Instant::now();
    app.all_done().await;
    assert!(mended.elapsed() < Duration::from_secs(30), "{:?}", mended.elapsed());
    assert_eq!(app.reported(), 20);
    assert_eq!(app.count("select count(*) from attempt where result = 'given_up'").await, 0);
}

#[tokio::test]
async fn a_revoked_key_is_one_clear_error_while_receiving_goes_on_and_all_flows_when_it_is_mended() {
    let app = App::with(&[BOTH]).await;
    app.stand_in.fail(Fault::status(401).on(REPORTS).endless());
    deliver(&app, 0..10).await;
    app.process.says("REPORT_URL answered 401").await;
    app.deliver_text(SAMPLE).await;
    eventually("a probe was refused too", async || reports(&app).len() > 3).await;
    let errors = app.process.log().matches("its jobs wait until it is well again").count();
    assert_eq!(errors, 1, "one error, not one a job");

    app.stand_in.clear_faults();
    let mended = Instant::now();
    app.all_done().await;
    assert!(mended.elapsed() < Duration::from_secs(30), "{:?}", mended.elapsed());
    assert_eq!(failures(&app).await, 0, "nobody's attempt was burned");
    assert_eq!(app.reported(), 11);
}

#[tokio::test]
async fn what_one_call_alone_meets_is_that_calls_failure_and_no_outage() {
    let app = App::with(&[("JOB_RETRY_MAX", "1s")]).await;
    app.stand_in.fail(Fault::status(500).on(REPORTS).times(5));
    deliver(&app, 0..1).await;
    app.all_done().await;
    assert_eq!(failures(&app).await, 5);
    assert!(app.process.logged("its jobs wait").is_none(), "{}", app.process.log());
}

#[tokio::test]
async fn a_worker_that_stops_while_a_vendor_is_in_trouble_stops_at_once_and_its_jobs_go_on_elsewhere() {
    let app = App::receiver(&[]).await;
    let worker = app.another("work").await;
    app.stand_in.fail(Fault::rate_limited(Some(600)).on(REPORTS));
    deliver(&app, 0..3).await;
    worker.says("its jobs wait").await;
    let asked = Instant::now();
    let (status, log) = worker.terminate().await;
    assert!(status.success() && asked.elapsed() < Duration::from_secs(15), "{:?}\n{log}", asked.elapsed());
    app.stand_in.clear_faults();
    // As if the ten minutes were over, and the minute after which a stopped worker's heartbeats are missed.
    for change in [
        "update apalis.jobs set run_at = now()",
        "update apalis.workers set last_seen = now() - interval '61 s'",
    ] {
        sqlx::query(change).execute(&app.db).await.unwrap();
    }
    let _other = app.another("work").await;
    app.all_done().await;
    assert_eq!(app.reported(), 3);
}

#[tokio::test]
async fn an_argument_that_nobody_can_read_is_given_up_beside_nine_good_jobs() {
    let app = App::receiver(&[]).await;
    deliver(&app, 0..10).await;
    for (event, argument) in [("evt_3", "'\\xff00'::bytea"), ("evt_4", "'42'::bytea")] {
        let statement = format!("update apalis.jobs set job = {argument} where idempotency_key = '{event}'");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&app.db).await.unwrap();
    }
    let worker = app.another("work").await;
    app.all_done().await;
    assert_eq!(app.count("select count(*) from apalis.jobs where status = 'Done'").await, 8);
    assert_eq!(app.count("select count(*) from apalis.jobs where status = 'Killed'").await, 2);
    assert!(worker.logged("lost its queue").is_none(), "no worker is lost");
}

#[tokio::test]
async fn a_vendor_that_asks_for_a_pause_of_ages_gets_the_longest_wait_that_is_configured() {
    let app = App::with(&[("JOB_RETRY_MAX", "2s")]).await;
    app.stand_in.fail(Fault::rate_limited(Some(u64::MAX)).on(REPORTS));
    deliver(&app, 0..1).await;
    app.all_done().await;
    assert_eq!(app.reported(), 1);
}

#[tokio::test]
async fn a_pause_that_the_vendor_asks_for_brings_a_job_no_nearer_to_being_given_up() {
    let app = App::with(&[("JOB_GIVE_UP_AFTER", "2s")]).await;
    app.stand_in.fail(Fault::status(500).on(REPORTS));
    app.stand_in.fail(Fault::rate_limited(Some(4)).on(REPORTS));
    // An answer, so the vendor is well again, and yet a failure of the job.
    app.stand_in.fail(Fault::status(409).on(REPORTS));
    deliver(&app, 0..1).await;
    app.all_done().await;
    let results = "select string_agg(result, ' ' order by number) from attempt";
    assert_eq!(app.text(results).await, "retry paused retry done");
}

#[tokio::test]
async fn a_vendors_queue_fetches_nothing_while_it_is_paused_and_its_worker_goes_on_beating() {
    let app = App::with(&[("JOB_CONCURRENCY", "2")]).await;
    app.leaves_jobs();
    app.stand_in.fail(Fault::rate_limited(Some(600)).on(REPORTS));
    deliver(&app, 0..1).await;
    app.process.says("its jobs wait").await;
    deliver(&app, 1..26).await;
    let beat = "select last_seen::text from apalis.workers where worker_type = 'report-call'";
    for _ in 0..2 {
        let before = app.text(beat).await;
        eventually("the worker shows that it lives", async || app.text(beat).await != before).await;
    }
    let locked = "select count(*) from apalis.jobs where status in ('Queued', 'Running')";
    assert_eq!(app.count(locked).await, 0, "nobody can take from it what it doesn't hold");
    assert_eq!(reports(&app).len(), 1);
}

#[tokio::test]
async fn what_a_vendor_quotes_of_a_call_is_kept_nowhere() {
    let vendor = Quoting::start().await;
    let app = App::receiver(&[("REPORT_URL", &vendor.url)]).await;
    vendor.refuses(&app, "REPORT_URL answered 400").await;
}
