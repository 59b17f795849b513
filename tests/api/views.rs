//! What people read in the database: the views `call` and `call_job`, by plain SQL.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::Fault;

use crate::helpers::{App, REPORTS, event, eventually};

/// A row of a view as JSON.
async fn row(app: &App, view: &str, event_id: &str) -> Value {
    let query = format!("select to_jsonb({view}) from {view} where event_id = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(event_id).fetch_one(&app.db).await.unwrap()
}

async fn job(app: &App, event_id: &str) -> Value {
    row(app, "call_job", event_id).await
}

async fn reaches(app: &App, event_id: &str, state: &str) -> Value {
    eventually(state, async || job(app, event_id).await["state"] == state).await;
    job(app, event_id).await
}

/// What is wrong at the vendor decides what becomes of the next call.
async fn deliver(app: &App, id: &str, fault: Option<Fault>) {
    app.stand_in.clear_faults();
    if let Some(fault) = fault {
        app.stand_in.fail(fault.on(REPORTS));
    }
    app.deliver(&event(&format!("evt_{id}"), &format!("cl_{id}"))).await;
}

#[tokio::test]
async fn a_job_reads_as_waiting_running_done_retrying_given_up_or_skipped() {
    let app = App::receiver(&[("JOB_RETRY_FIRST", "1h")]).await;
    let mut older = event("evt_older", "cl_done");
    older["occurred_at"] = json!("2026-11-24T10:00:00Z");
    app.deliver(&older).await;
    let mut newer = event("evt_done", "cl_done");
    newer["occurred_at"] = json!("2026-11-24T10:00:01Z");
    app.deliver(&newer).await;

    let waiting = job(&app, "evt_done").await;
    assert_eq!(waiting["state"], "waiting");
    assert_eq!(waiting["job"], "report-call");
    assert_eq!(waiting["call_id"], "cl_done");
    assert_eq!((&waiting["attempts"], &waiting["crashes"]), (&json!(0), &json!(0)));
    assert!(waiting["next_try_at"].is_string() && waiting["first_attempt_at"].is_null(), "{waiting}");

    let worker = app.another("work").await;
    let done = reaches(&app, "evt_done", "done").await;
    assert_eq!((&done["attempts"], &done["made"]), (&json!(1), &json!("delivery")));
    assert_eq!(done["external_id"], "evt_done:report-call");
    assert_eq!(done["destination"], app.stand_in.url());
    assert!(done["next_try_at"].is_null() && done["last_reason"].is_null(), "{done}");
    assert!(done["first_attempt_at"].is_string() && done["made_at"].is_string(), "{done}");

    let skipped = reaches(&app, "evt_older", "skipped").await;
    assert_eq!(skipped["last_reason"], "superseded by evt_done");

    deliver(&app, "given_up", Some(Fault::status(422))).await;
    let given_up = reaches(&app, "evt_given_up", "given up").await;
    assert!(given_up["last_reason"].as_str().unwrap().starts_with("REPORT_URL answered 422"), "{given_up}");
    assert!(given_up["next_try_at"].is_null() && given_up["made"].is_null(), "{given_up}");

    deliver(&app, "retrying", Some(Fault::status(503))).await;
    let retrying = reaches(&app, "evt_retrying", "retrying").await;
    assert!(retrying["last_reason"].as_str().unwrap().starts_with("REPORT_URL answered 503"), "{retrying}");
    let soon = "select next_try_at > now() + interval '59 min' from call_job where event_id = 'evt_retrying'";
    assert!(sqlx::query_scalar::<_, bool>(soon).fetch_one(&app.db).await.unwrap(), "{retrying}");

    let heard = app.heard(REPORTS);
    deliver(&app, "died", Some(Fault::slow(Duration::from_secs(30)))).await;
    eventually("it is at the vendor", async || app.heard(REPORTS) > heard).await;
    let running = job(&app, "evt_died").await;
    assert_eq!((&running["state"], &running["crashes"]), (&json!("running"), &json!(0)));
    app.leaves_jobs();
    worker.kill().await;
    // What apalis does once its heartbeats are missed.
    sqlx::query("update apalis.jobs set status = 'Pending', lock_by = null where status = 'Queued'")
        .execute(&app.db)
        .await
        .unwrap();
    let died = job(&app, "evt_died").await;
    assert_eq!((&died["state"], &died["crashes"]), (&json!("retrying"), &json!(1)));
    assert_eq!(died["last_reason"], "its process died in the middle of it");
}

#[tokio::test]
async fn a_job_that_is_done_stays_so_when_an_overtaken_process_begins_it_once_more() {
    let app = App::start().await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let again =
        "insert into attempt (event_id, job, number, destination) values ('evt_1', 'report-call', 2, '')";
    sqlx::query(again).execute(&app.db).await.unwrap();
    assert_eq!(job(&app, "evt_1").await["state"], "done");
}

#[tokio::test]
async fn a_job_whose_vendor_asks_for_a_pause_reads_as_paused_and_those_behind_it_as_waiting() {
    let app = App::start().await;
    app.leaves_jobs();
    deliver(&app, "paused", Some(Fault::rate_limited(Some(600)))).await;
    let paused = reaches(&app, "evt_paused", "paused").await;
    assert!(paused["last_reason"].as_str().unwrap().starts_with("REPORT_URL answered 429"), "{paused}");
    let later = "select next_try_at > now() + interval '9 min' from call_job where event_id = 'evt_paused'";
    assert!(sqlx::query_scalar::<_, bool>(later).fetch_one(&app.db).await.unwrap(), "{paused}");

    deliver(&app, "behind", None).await;
    assert_eq!(job(&app, "evt_behind").await["state"], "waiting");
    // As when a worker stops that has taken the job and not begun with it.
    sqlx::query("update apalis.jobs set status = 'Failed' where idempotency_key = 'evt_behind'")
        .execute(&app.db)
        .await
        .unwrap();
    assert_eq!(job(&app, "evt_behind").await["state"], "waiting");
}

#[tokio::test]
async fn a_job_that_is_told_to_run_anew_waits_and_one_whose_queue_row_is_gone_is_still_known() {
    let app = App::receiver(&[]).await;
    let worker = app.another("work").await;
    deliver(&app, "again", Some(Fault::status(422))).await;
    reaches(&app, "evt_again", "given up").await;
    deliver(&app, "done", None).await;
    app.all_done().await;
    worker.kill().await;
    app.leaves_jobs();
    let again = "update apalis.jobs set status = 'Pending' where idempotency_key = 'evt_again'";
    let gone = "delete from apalis.jobs where idempotency_key = 'evt_done'";
    for change in [again, gone] {
        sqlx::query(change).execute(&app.db).await.unwrap();
    }
    assert_eq!(job(&app, "evt_again").await["state"], "waiting");
    assert_eq!(job(&app, "evt_done").await["state"], "done");
    sqlx::query("delete from attempt").execute(&app.db).await.unwrap();
    assert_eq!(job(&app, "evt_done").await["state"], "done", "by its receipt");
}

#[tokio::test]
async fn a_call_is_one_row_of_its_newest_event_typed() {
    let app = App::receiver(&[]).await;
    // In the order in which each is newer than those before it.
    for (event_id, name, occurred_at) in [
        ("evt_5", "call.started", json!("2026-11-24T12:00:00Z")),
        ("evt_4", "call.completed", Value::Null),
        ("evt_3", "call.completed", json!("2026-11-24T10:00:00Z")),
        ("evt_1", "call.completed", json!("2026-11-24T10:00:01Z")),
    ] {
        let mut event = event(event_id, "cl_1");
        event["event"] = json!(name);
        event["occurred_at"] = occurred_at;
        app.deliver(&event).await;
        let call: Vec<String> =
            sqlx::query_scalar("select event_id from call").fetch_all(&app.db).await.unwrap();
        assert_eq!(call, [event_id.to_owned()]);
    }
    let mut late = event("evt_2", "cl_1");
    late["occurred_at"] = json!("2026-11-24T09:00:00Z");
    app.deliver(&late).await;

    let call = row(&app, "call", "evt_1").await;
    assert_eq!(call["events"], 5);
    assert_eq!(call["duration_seconds"], 271);
    assert_eq!(call["custom_fields"]["crm_id"], "ACME-4451");
    let typed = "select started_at < ended_at and cardinality(problems) = 0 from call";
    assert!(sqlx::query_scalar::<_, bool>(typed).fetch_one(&app.db).await.unwrap());
}

#[tokio::test]
async fn the_views_and_each_of_their_columns_say_what_they_are() {
    let app = App::receiver(&[]).await;
    let silent: Vec<String> = sqlx::query_scalar(
        "select relname || '.' || coalesce(attname, '') from pg_class
         left join pg_attribute on attrelid = pg_class.oid and attnum > 0
         where relkind = 'v' and relnamespace = 'public'::regnamespace
           and (obj_description(pg_class.oid) is null or col_description(pg_class.oid, attnum) is null)",
    )
    .fetch_all(&app.db)
    .await
    .unwrap();
    assert_eq!(silent, [""; 0]);
    assert_eq!(
        app.count("select count(*) from pg_class where relkind = 'v' and relname in ('call', 'call_job', 'stored_event')")
            .await,
        3
    );
}

#[tokio::test]
async fn a_further_column_is_shown_in_the_view_call_with_what_it_means() {
    let app = App::receiver(&[]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    for (column, meaning) in [("mood", "How they felt."), ("Agent's mood", "It's \"fine\".")] {
        let quoted = format!("\"{column}\"");
        let add = format!("alter table call_event add column {quoted} text default 'en'");
        sqlx::query(sqlx::AssertSqlSafe(add)).execute(&app.db).await.unwrap();
        sqlx::query("select show_in_call($1, $2)").bind(column).bind(meaning).execute(&app.db).await.unwrap();
        let call = row(&app, "call", "evt_1").await;
        assert_eq!((&call[column], &call["notes"]), (&json!("en"), &json!("Callback scheduled")));
        let told: String = sqlx::query_scalar(
            "select col_description(attrelid, attnum) from pg_attribute where attrelid = 'call'::regclass and attname = $1",
        )
        .bind(column)
        .fetch_one(&app.db)
        .await
        .unwrap();
        assert_eq!(told, meaning);
    }
}

#[tokio::test]
async fn a_field_without_a_column_is_shown_in_the_view_call_whether_or_not_it_is_read() {
    let app = App::receiver(&[]).await;
    let mut event = event("evt_1", "cl_1");
    event["language"] = json!("en");
    app.deliver(&event).await;
    // As of a version in which it is a field of a call.
    let read = r#"update call_event set details = details || '{"topics": ["refund"]}'"#;
    sqlx::query(read).execute(&app.db).await.unwrap();
    for (field, shown) in [("language", "en"), ("topics", r#"["refund"]"#)] {
        for meaning in ["What it says.", "What it says, better."] {
            sqlx::query("select show_in_call($1, $2)")
                .bind(field)
                .bind(meaning)
                .execute(&app.db)
                .await
                .unwrap();
        }
        assert_eq!(row(&app, "call", "evt_1").await[field], shown);
    }
    let told = "select string_agg(col_description(attrelid, attnum), '; ') from pg_attribute
        where attrelid in ('call'::regclass, 'stored_event'::regclass) and attname = 'language'";
    assert_eq!(app.text(told).await, "What it says, better.; What it says, better.");
}

#[tokio::test]
async fn the_newest_fifty_of_many_calls_are_read_by_index_and_so_are_their_jobs() {
    let app = App::receiver(&[]).await;
    let many = "insert into call_event (event_id, received_at, body, headers, problems, event, call_id, custom_fields)
         select 'evt_' || n, now() - make_interval(secs => n), '', '[]', '{}', 'call.completed', 'cl_' || n / 2, '{}'
         from generate_series(1, 20000) as n";
    let jobs = "insert into apalis.jobs (id, job_type, job, idempotency_key)
         select 'job_' || n, 'report-call', '', 'evt_' || n from generate_series(1, 20000) as n";
    for statement in [many, jobs] {
        sqlx::query(statement).execute(&app.db).await.unwrap();
    }
    for (query, without_statistics) in [
        ("select * from call order by received_at desc limit 50", true),
        ("select * from call_job where event_id = any('{evt_1,evt_3}')", true),
        ("select * from call join call_job using (event_id) order by call.received_at desc limit 50", false),
    ] {
        if !without_statistics {
            sqlx::query("analyze").execute(&app.db).await.unwrap();
        }
        let explain = format!("explain {query}");
        let plan: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&app.db).await.unwrap();
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan on call_event") && !plan.contains("Seq Scan on jobs"), "{plan}");
    }
}

#[tokio::test]
async fn a_heartbeat_reads_the_jobs_in_hand_by_index_and_not_all_that_were_ever_done() {
    let app = App::receiver(&[]).await;
    for statement in [
        "insert into apalis.workers (id, worker_type, storage_name) values ('worker', 'report-call', '')",
        "insert into apalis.jobs (id, job_type, job, idempotency_key, status, lock_by)
         select 'job_' || n, 'report-call', '', 'evt_' || n, 'Done', 'worker' from generate_series(1, 20000) as n",
        "analyze",
    ] {
        sqlx::query(statement).execute(&app.db).await.unwrap();
    }
    // What apalis asks at every heartbeat of every queue.
    let plan: Vec<String> = sqlx::query_scalar(
        "explain select jobs.id from apalis.jobs join apalis.workers on jobs.lock_by = workers.id
         where (jobs.status = 'Running' or jobs.status = 'Queued')
           and now() - workers.last_seen >= interval '1 minute' and workers.worker_type = 'report-call'",
    )
    .fetch_all(&app.db)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("jobs_in_hand") && !plan.contains("Seq Scan on jobs"), "{plan}");
}
