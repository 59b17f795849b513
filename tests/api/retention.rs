//! A call's data is deleted after `RETENTION_DAYS`; what must be known of it stays.

use serde_json::{Value, json};
use stand_in::Fault;

use crate::helpers::{App, Process, REPORTS, database, event, eventually, told};

const DELETED: &str = "deleted what has been kept long enough";

/// Lets so many days pass.
async fn days_pass(app: &App, days: i32) {
    for older in [
        "update call_event set received_at = received_at - make_interval(days => $1)",
        "update apalis.jobs set done_at = done_at - make_interval(days => $1)",
        "update attempt set started_at = started_at - make_interval(days => $1),
             ended_at = ended_at - make_interval(days => $1)",
    ] {
        sqlx::query(older).bind(days).execute(&app.db).await.unwrap();
    }
    // An id begins with the time at which its job was enqueued.
    sqlx::query("update apalis.jobs set id = overlay(id placing '00' from 1 for 2)")
        .execute(&app.db)
        .await
        .unwrap();
}

/// A worker that has looked once for what is to go.
async fn worker(app: &App) -> Process {
    let worker = app.another("work").await;
    worker.says(DELETED).await;
    worker
}

async fn pruned(app: &App) -> Vec<String> {
    let pruned = "select event_id from call_event where pruned_at is not null order by event_id";
    sqlx::query_scalar(pruned).fetch_all(&app.db).await.unwrap()
}

/// The call of a test, of which nothing may be left.
fn personal(event_id: &str, call_id: &str) -> Value {
    let mut event = event(event_id, call_id);
    event["from"] = json!("+4930123456789");
    event["agent"] = json!({ "id": "ag_secret", "name": "Wilhelmine Unverkennbar" });
    event["notes"] = json!("Wants her cat back");
    event["custom_fields"] = json!({ "pet": "Mieze" });
    event["recording_url"] = json!("https://recordings.example/unmistakable.mp3");
    event["nickname"] = json!("Minchen");
    event
}

const TRACES: [&str; 8] = [
    "4930123456789",
    "ag_secret",
    "Unverkennbar",
    "cat back",
    "Mieze",
    "unmistakable",
    "Minchen",
    "x-caller",
];

#[tokio::test]
async fn after_retention_no_trace_of_the_caller_is_left_but_its_receipt_and_its_key_are() {
    let app = App::start().await;
    app.stand_in.fail(Fault::status(503).on(REPORTS).times(2));
    let delivery = app.post(personal("evt_1", "cl_1").to_string()).header("x-caller", "Minchen");
    assert_eq!(told(delivery).await, (200, "stored".to_owned()));
    let mut started = personal("evt_0", "cl_1");
    started["event"] = json!("call.started");
    app.deliver(&started).await;
    app.all_done().await;
    assert_eq!(app.count("select count(*) from attempt").await, 3);
    sqlx::query("update receipt set note = 'no contact has Unverkennbar'").execute(&app.db).await.unwrap();
    let url = app.setting("DATABASE_URL");
    let before = database::dump(url).await;
    for trace in TRACES {
        assert!(before.contains(trace), "{trace}: {before}");
    }

    days_pass(&app, 91).await;
    let line = worker(&app).await.logged(DELETED).unwrap();
    for (what, number) in [("calls", 1), ("events", 2), ("attempts", 2), ("jobs", 1)] {
        assert_eq!(line[what], number, "{line}");
    }
    let after = database::dump(url).await;
    for trace in TRACES {
        assert!(!after.contains(trace), "{trace}: {after}");
        assert!(!app.process.log().contains(trace), "{trace}");
    }
    assert_eq!(
        app.text(
            "select concat_ws(' ', event_id, call_id, platform, status, occurred_at is not null) from call"
        )
        .await,
        "evt_1 cl_1 after_call answered t"
    );
    assert_eq!(
        app.text("select concat_ws(' ', event_id, job, made, external_id) from receipt").await,
        "evt_1 report-call delivery evt_1:report-call"
    );
    assert_eq!(app.text("select state from call_job").await, "done");
    assert_eq!(app.text("select concat(number, result, reason) from attempt").await, "3done");
}

#[tokio::test]
async fn a_late_repeat_of_a_deleted_event_is_a_duplicate_that_runs_nothing_and_warns_of_nothing() {
    let app = App::start().await;
    app.deliver(&personal("evt_1", "cl_1")).await;
    app.all_done().await;
    days_pass(&app, 91).await;
    let _worker = worker(&app).await;
    let again = told(app.post(personal("evt_1", "cl_1").to_string())).await;
    assert_eq!(again, (200, "duplicate".to_owned()));
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 0);
    assert_eq!(app.heard(REPORTS), 1);
    app.process.says("200 duplicate").await;
    assert!(!app.process.log().contains("another body"), "{}", app.process.log());
    assert!(!database::dump(app.setting("DATABASE_URL")).await.contains("Unverkennbar"));
}

#[tokio::test]
async fn a_late_event_of_a_call_whose_data_was_deleted_is_worked_on_though_an_older_one_is_newer() {
    let app = App::start().await;
    app.deliver(&personal("evt_1", "cl_1")).await;
    app.all_done().await;
    days_pass(&app, 91).await;
    let _worker = worker(&app).await;
    let mut late = event("evt_2", "cl_1");
    late["occurred_at"] = json!("2020-01-01T00:00:00Z");
    late["notes"] = json!("at last");
    app.deliver(&late).await;
    app.all_done().await;
    let last = app.stand_in.sink().deliveries().pop().unwrap();
    assert_eq!(last.body["data"]["notes"], "at last");
    assert_eq!(last.body["data"]["custom_fields"], late["custom_fields"]);
    assert_eq!(app.text("select concat_ws(' ', event_id, events, notes) from call").await, "evt_2 2 at last");
}

#[tokio::test]
async fn what_is_young_unfinished_or_given_up_stays_and_so_do_the_other_events_of_its_call() {
    let app = App::receiver(&[("JOB_RETRY_FIRST", "1h")]).await;
    let first = app.another("work").await;
    for (id, fault) in [("given_up", Some(422)), ("retrying", Some(503)), ("done", None), ("half", None)] {
        app.stand_in.clear_faults();
        if let Some(status) = fault {
            app.stand_in.fail(Fault::status(status).on(REPORTS));
        }
        app.deliver(&event(&format!("evt_{id}"), &format!("cl_{id}"))).await;
        eventually("it has run", async || {
            let ended = "select count(*) from attempt where ended_at is not null and event_id = $1";
            let ended = sqlx::query_scalar::<_, i64>(ended).bind(format!("evt_{id}"));
            ended.fetch_one(&app.db).await.unwrap() == 1
        })
        .await;
    }
    let done = "select count(*) from apalis.jobs where status = 'Done'";
    eventually("the queue knows", async || app.count(done).await == 2).await;
    first.kill().await;
    days_pass(&app, 91).await;
    app.deliver(&event("evt_half_young", "cl_half")).await;
    app.deliver(&event("evt_young", "cl_young")).await;
    let _worker = worker(&app).await;
    app.leaves_jobs();
    assert_eq!(pruned(&app).await, ["evt_done"]);
    assert_eq!(app.text("select state from call_job where event_id = 'evt_given_up'").await, "given up");
    assert_eq!(app.count("select count(*) from call_event where body <> ''").await, 5);
    let settings = [("DATABASE_URL".to_owned(), app.setting("DATABASE_URL").to_owned())];
    let retried = crate::helpers::run(&["retry", "report-call"], &settings, "").await;
    assert_eq!(retried.out, "1 of report-call run anew\n");
    eventually("it is done", async || {
        app.count(
            "select count(*) from apalis.jobs where status = 'Done' and idempotency_key = 'evt_given_up'",
        )
        .await
            == 1
    })
    .await;
}

#[tokio::test]
async fn with_0_days_calls_stay_and_the_rows_of_finished_jobs_go_after_a_day_without_being_missed() {
    let app = App::start().await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    days_pass(&app, 1000).await;
    app.deliver(&event("evt_2", "cl_2")).await;
    app.all_done().await;
    let worker = app.another_with("work", &[("RETENTION_DAYS", "0")]).await;
    worker.says(DELETED).await;
    assert_eq!(app.text("select idempotency_key from apalis.jobs").await, "evt_2");
    assert_eq!(app.count("select count(*) from call_event where body <> '' and pruned_at is null").await, 2);
    assert_eq!(app.count("select count(*) from call_job where state = 'done'").await, 2);
}

#[tokio::test]
async fn two_workers_at_once_delete_each_call_once_and_without_an_error() {
    let app = App::receiver(&[("RUST_LOG", "info")]).await;
    let many = "insert into call_event (event_id, received_at, body, headers, event, call_id, custom_fields)
        select 'evt_' || n, now() - interval '91 days', 'secret', '[]', 'call.completed', 'cl_' || n / 2, '{}'
        from generate_series(0, 499) as n";
    sqlx::query(many).execute(&app.db).await.unwrap();
    // Each deletion is counted, whoever does it.
    for statement in [
        "create table deletion (event_id text)",
        "create function count_deletion() returns trigger language plpgsql as
         $$ begin insert into deletion values (new.event_id); return null; end $$",
        "create trigger counts after update on call_event for each row execute function count_deletion()",
    ] {
        sqlx::raw_sql(statement).execute(&app.db).await.unwrap();
    }
    let (one, other) = tokio::join!(app.another("work"), app.another("work"));
    let whole = "select count(*) from call_event where pruned_at is null or body <> ''";
    eventually("all are deleted", async || app.count(whole).await == 0).await;
    assert_eq!(app.count("select count(*) from deletion").await, 500);
    let mut log = String::new();
    for worker in [one, other] {
        let (status, lines) = worker.terminate().await;
        assert!(status.success(), "{lines}");
        log += &lines;
    }
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn a_forks_own_columns_are_emptied_too() {
    let app = App::receiver(&[]).await;
    let of_a_fork = "alter table call_event add column nickname text, add column \"Agent's mood\" text not null default 'calm',
        add column letters int generated always as (length(nickname)) stored";
    sqlx::raw_sql(of_a_fork).execute(&app.db).await.unwrap();
    app.deliver(&event("evt_1", "cl_1")).await;
    let write = "update call_event set nickname = 'Minchen', \"Agent's mood\" = 'furious at Minchen'";
    sqlx::raw_sql(write).execute(&app.db).await.unwrap();
    sqlx::query("delete from apalis.jobs").execute(&app.db).await.unwrap();
    days_pass(&app, 91).await;
    let _worker = worker(&app).await;
    let left = "select concat(coalesce(nickname, 'null'), ' ', \"Agent's mood\", ' ', coalesce(letters, 0)) from call_event";
    assert_eq!(app.text(left).await, "null calm 0");
}
