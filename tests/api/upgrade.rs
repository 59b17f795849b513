//! A version beside the one before it: what either stored is read by the other, and by people.

use std::borrow::Cow;

use apalis_postgres::PostgresStorage;
use serde_json::{Value, json};
use sqlx::{PgPool, migrate::Migrator};

use crate::helpers::{App, database, event, told};

/// The migration since which most of a call stands in one column.
const DETAILS: i64 = 20_261_127_000_000;

/// The migration since which the trace of a delivery is kept.
const TRACE: i64 = 20_261_127_000_080;

/// All migrations, within this binary: it may run where no sources are.
static ALL: Migrator = sqlx::migrate!();

/// A database of the version before this migration; returns its URL and a connection.
async fn before(migration: i64) -> (String, PgPool) {
    let url = database::create_empty().await;
    let db = database::connect(&url).await;
    PostgresStorage::migrations().run(&db).await.unwrap();
    let older = ALL.migrations.iter().filter(|known| known.version < migration).cloned().collect();
    Migrator { migrations: Cow::Owned(older), ..Migrator::DEFAULT }.run(&db).await.unwrap();
    (url, db)
}

/// Stores an event as the version before did, in columns, and enqueues nothing.
async fn store(db: &PgPool, event: &Value) {
    let store = "
        insert into call_event (
            event_id, received_at, body, headers, problems,
            event, call_id, occurred_at, parent_call_id, direction, from_number, to_number, status, reason,
            queue_id, queue_name, agent_id, agent_name, started_at, connected_at, ended_at,
            duration_seconds, talk_time_seconds, wrap_up_seconds, recording_url, notes, custom_fields
        )
        select
            e ->> 'event_id', now(), convert_to(e::text, 'UTF8'), '[]', '{odd}',
            e ->> 'event', e ->> 'call_id', (e ->> 'occurred_at')::timestamptz, 'cl_0', e ->> 'direction',
            e ->> 'from', e ->> 'to', e ->> 'status', 'no reason', e -> 'queue' ->> 'id', e -> 'queue' ->> 'name',
            e -> 'agent' ->> 'id', e -> 'agent' ->> 'name', (e ->> 'started_at')::timestamptz,
            (e ->> 'connected_at')::timestamptz, (e ->> 'ended_at')::timestamptz, (e ->> 'duration_seconds')::bigint,
            (e ->> 'talk_time_seconds')::bigint, (e ->> 'wrap_up_seconds')::bigint, e ->> 'recording_url', e ->> 'notes',
            e -> 'custom_fields'
        from (select $1::jsonb as e) as delivery";
    sqlx::query(store).bind(event).execute(db).await.unwrap();
}

/// What the view `call` says of each call, without what differs from one to the next.
async fn shown(db: &PgPool) -> Vec<Value> {
    let shown = "select to_jsonb(call) - '{call_id,event_id,received_at}'::text[] from call order by call_id";
    sqlx::query_scalar(shown).fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn the_view_call_says_the_same_of_a_call_before_and_after_an_upgrade_whatever_a_fork_has_added_to_it() {
    let (url, db) = before(DETAILS).await;
    for of_a_fork in [
        "alter table call_event add column mood text, add column \"Agent's mood\" text default 'calm', add column unseen int",
        "select show_in_call('mood', 'How they felt.')",
        "select show_in_call('Agent''s mood', 'How the agent felt.')",
    ] {
        sqlx::raw_sql(of_a_fork).execute(&db).await.unwrap();
    }
    store(&db, &event("evt_1", "cl_1")).await;
    sqlx::raw_sql("update call_event set mood = 'glad'").execute(&db).await.unwrap();
    let before = shown(&db).await.remove(0);
    assert_eq!((&before["notes"], &before["mood"]), (&json!("Callback scheduled"), &json!("glad")));

    let app = App::over(&url, &[]).await;
    let told = "select string_agg(col_description(attrelid, attnum), ' ' order by attnum) from pg_attribute
        where attrelid = 'call'::regclass and attname like '%mood'";
    assert_eq!(app.text(told).await, "How they felt. How the agent felt.");

    // A rollback, or another replica that still runs the version before.
    store(&db, &event("evt_2", "cl_2")).await;
    let mut odd = event("evt_3", "cl_3");
    odd["parent_call_id"] = json!("cl_0");
    odd["reason"] = json!("no reason");
    odd["tone"] = json!("calm");
    app.deliver(&odd).await;
    app.all_done().await;
    let mut after = shown(&db).await;
    assert_eq!(after[2]["extra"], json!({ "tone": "calm" }));
    assert_eq!(after[2]["problems"], json!([]));
    after[2]["extra"] = Value::Null;
    after[2]["problems"] = json!(["odd"]);
    for (call, mood) in after.iter().zip([json!("glad"), Value::Null, Value::Null]) {
        let mut expected = before.clone();
        expected["mood"] = mood;
        expected["platform"] = json!("after_call");
        expected["extra"] = Value::Null;
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&call[field], value, "{field}");
        }
    }

    sqlx::raw_sql("alter table call_event add column later text default 'x'").execute(&db).await.unwrap();
    for name in ["later", "unseen", "tone"] {
        sqlx::query("select show_in_call($1, 'It.')").bind(name).execute(&db).await.unwrap();
    }
    assert_eq!(
        app.text("select later || coalesce(unseen::text, '-') || tone from call where call_id = 'cl_3'")
            .await,
        "x-calm"
    );
}

#[tokio::test]
async fn what_a_call_has_from_an_event_that_the_version_before_stored_is_not_lost() {
    let (url, db) = before(DETAILS).await;
    let mut older = event("evt_older", "cl_1");
    older["occurred_at"] = json!("2026-11-24T10:00:00Z");
    store(&db, &older).await;
    let app = App::over(&url, &[]).await;
    let mut newer = event("evt_newer", "cl_1");
    newer["occurred_at"] = json!("2026-11-24T10:00:01Z");
    newer["recording_url"] = Value::Null;
    newer["custom_fields"] = json!({});
    app.deliver(&newer).await;
    app.all_done().await;
    let reported = app.stand_in.sink().deliveries().remove(0).body;
    for field in ["recording_url", "custom_fields"] {
        assert_eq!(reported["data"][field], older[field]);
    }
}

#[tokio::test]
async fn a_field_of_the_payload_that_a_fork_shows_as_trace_id_stays_what_it_was() {
    let (url, db) = before(TRACE).await;
    sqlx::raw_sql("select show_in_call('trace_id', 'Of our own.')").execute(&db).await.unwrap();
    let app = App::over(&url, &[]).await;
    let mut event = event("evt_1", "cl_1");
    event["trace_id"] = json!("ours");
    let traced = app
        .post(event.to_string())
        .header("traceparent", format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16)));
    assert_eq!(told(traced).await.0, 200);
    app.all_done().await;
    let shown = "select concat_ws(' ', call.trace_id, stored_event.trace_id, col_description('call'::regclass, attnum))
        from call, stored_event, pg_attribute where attrelid = 'call'::regclass and attname = 'trace_id'";
    assert_eq!(app.text(shown).await, "ours ours Of our own.");
}
