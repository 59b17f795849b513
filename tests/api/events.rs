//! What is stored of an event: a call is worth more than its form.

use serde_json::{Value, json};
use sqlx::Row;

use crate::helpers::{App, CURL_SAMPLE, SAMPLE, event, told};

#[tokio::test]
async fn the_sample_is_stored_field_by_field_and_byte_for_byte() {
    let app = App::receiver(&[]).await;
    app.deliver(&serde_json::from_str(SAMPLE).unwrap()).await;
    let stored: Value = sqlx::query_scalar("select to_jsonb(stored_event) from stored_event")
        .fetch_one(&app.db)
        .await
        .unwrap();
    let expected = json!({
        "event_id": "evt_5z7h3c", "event": "call.completed", "call_id": "cl_8fKQ92", "problems": [],
        "occurred_at": "2025-08-21T11:02:44+00:00", "parent_call_id": null, "direction": "inbound",
        "from_number": "+14085551234", "to_number": "+14085559876", "status": "answered", "reason": null,
        "queue_id": "q_23", "queue_name": "Support", "agent_id": "ag_102", "agent_name": "Jordan",
        "started_at": "2025-08-21T10:58:13+00:00", "connected_at": "2025-08-21T10:58:33+00:00",
        "ended_at": "2025-08-21T11:02:44+00:00", "duration_seconds": 271, "talk_time_seconds": 251,
        "wrap_up_seconds": 20, "recording_url": "https://recordings.example/abc123.mp3",
        "notes": "Callback scheduled", "custom_fields": { "crm_id": "ACME-4451", "priority": "high" },
        "platform": "after_call", "extra": {},
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&stored[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_field_that_nobody_knows_reaches_the_view_and_the_jobs() {
    let app = App::start().await;
    let mut event = event("evt_1", "cl_1");
    event["sentiment"] = json!({ "score": 0.5, "words": ["glad"] });
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(app.text("select extra -> 'sentiment' ->> 'score' from call").await, "0.5");
    assert_eq!(app.text("select problems::text from call").await, "{}", "nothing is wrong with it");
    let reported = app.stand_in.sink().deliveries().remove(0).body;
    assert_eq!(reported["data"]["extra"], json!({ "sentiment": event["sentiment"] }));
    assert_eq!(reported["data"]["platform"], "after_call");
}

#[tokio::test]
async fn the_body_is_kept_as_it_came_with_fields_that_nobody_knows() {
    let app = App::receiver(&[]).await;
    let body = "{ \"event\":\"call.completed\",\t\"call_id\" : \"cl_1\", \"sentiment\": {\"score\": 1e3}, \"call_id\":\"cl_1\" }\n";
    app.deliver_text(body.to_owned()).await;
    let stored: Vec<u8> = sqlx::query_scalar("select body from call_event").fetch_one(&app.db).await.unwrap();
    assert_eq!(stored, body.as_bytes());
}

#[tokio::test]
async fn the_documentations_curl_sample_has_no_event_id_and_is_stored_once_under_its_hash() {
    let app = App::receiver(&[]).await;
    let first = app.deliver(&serde_json::from_str(CURL_SAMPLE).unwrap()).await;
    let again = app.deliver(&serde_json::from_str(CURL_SAMPLE).unwrap()).await;
    assert!(first["event_id"].as_str().unwrap().starts_with("sha256:"), "{first}");
    assert_eq!(again["status"], "duplicate");
    assert_eq!(app.count("select count(*) from call_event").await, 1);
    assert_eq!(
        app.text("select notes from stored_event").await,
        "Callback scheduled",
        "its wrap_up_notes are the notes"
    );
    assert_eq!(
        app.text("select array_to_string(problems, '; ') from stored_event").await,
        "event_id is missing; occurred_at is missing"
    );
}

#[tokio::test]
async fn an_event_id_that_is_no_usable_key_loses_no_call() {
    let app = App::receiver(&[]).await;
    for unusable in [json!(null), json!(""), json!(42), json!({}), json!("x".repeat(256)), json!("a\0b")] {
        let mut event = event("", "cl_1");
        event["event_id"] = unusable.clone();
        let answer = app.deliver(&event).await;
        assert!(answer["event_id"].as_str().unwrap().starts_with("sha256:"), "{unusable}");
    }
    let mut longest = event("", "cl_1");
    longest["event_id"] = json!("x".repeat(255));
    assert_eq!(app.deliver(&longest).await["event_id"], json!("x".repeat(255)));
}

#[tokio::test]
async fn words_and_numbers_that_the_documentation_does_not_list_are_stored() {
    let app = App::receiver(&[]).await;
    for (column, field, word) in [
        ("status", "status", "transferred"),
        ("direction", "direction", "internal"),
        ("from_number", "from", "anonymous"),
        ("from_number", "from", "+1 408 555 1234"),
        ("to_number", "to", "4711"),
    ] {
        let mut event = event(&format!("evt_{word}"), "cl_1");
        event[field] = json!(word);
        app.deliver(&event).await;
        let query = format!("select {column}, problems from stored_event where event_id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(format!("evt_{word}"))
            .fetch_one(&app.db)
            .await
            .unwrap();
        assert_eq!(row.get::<String, _>(0), word);
        assert!(row.get::<Vec<String>, _>(1).is_empty());
    }
}

#[tokio::test]
async fn a_field_of_the_wrong_form_is_null_and_leaves_a_problem() {
    let app = App::receiver(&[]).await;
    for (field, column, value, problem) in [
        ("from", "from_number", json!(null), "from is missing"),
        ("from", "from_number", json!(["+1"]), "from is not a text"),
        ("status", "status", json!(true), "status is not a text"),
        ("started_at", "started_at", json!("yesterday"), "started_at is not an ISO-8601 timestamp"),
        (
            "started_at",
            "started_at",
            json!("999999-01-01T00:00:00Z"),
            "started_at is not an ISO-8601 timestamp",
        ),
        (
            "duration_seconds",
            "duration_seconds",
            json!(-1),
            "duration_seconds is not a whole number of seconds",
        ),
        (
            "duration_seconds",
            "duration_seconds",
            json!(1.5),
            "duration_seconds is not a whole number of seconds",
        ),
        (
            "duration_seconds",
            "duration_seconds",
            json!("271"),
            "duration_seconds is not a whole number of seconds",
        ),
        ("queue", "queue_id", json!("q_23"), "queue is not an object with id and name"),
        ("agent", "agent_name", json!([1]), "agent is not an object with id and name"),
    ] {
        let mut event = event(&format!("evt_{field}_{value}"), "cl_1");
        event[field] = value.clone();
        app.deliver(&event).await;
        let query = format!("select {column} is null, problems from stored_event where event_id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(event["event_id"].as_str())
            .fetch_one(&app.db)
            .await
            .unwrap();
        assert!(row.get::<bool, _>(0), "{field} {value}");
        assert_eq!(row.get::<Vec<String>, _>(1), [problem], "{field} {value}");
    }
}

#[tokio::test]
async fn what_text_in_postgres_can_not_hold_loses_no_call() {
    let app = App::receiver(&[]).await;
    for (name, notes, column) in [
        ("nul", r#""a\u0000b""#, Some("a\u{FFFD}b")),
        ("lone surrogate", r#""a\ud800b""#, Some("a\u{FFFD}\u{FFFD}\u{FFFD}b")),
        ("huge number", "1e999", Some("1e999")),
        ("deep", &format!("{}{}", "[".repeat(5000), "]".repeat(5000)), None),
    ] {
        let body = format!(
            r#"{{"event":"call.completed","event_id":"{name}","call_id":"cl_\u0000","notes":{notes},"custom_fields":{{"a\u0000":["\u0000"]}},"b\u0000":["\u0000\\u0000"]}}"#
        );
        app.deliver_text(body).await;
        let stored: Option<String> = sqlx::query_scalar("select notes from stored_event where event_id = $1")
            .bind(name)
            .fetch_one(&app.db)
            .await
            .unwrap();
        assert_eq!(stored.as_deref(), column, "{name}");
    }
    assert_eq!(
        app.text("select custom_fields::text from call_event limit 1").await,
        "{\"a\u{FFFD}\": [\"\u{FFFD}\"]}"
    );
    assert_eq!(
        app.text("select extra::text from stored_event limit 1").await,
        "{\"b\u{FFFD}\": [\"\u{FFFD}\\\\u0000\"]}"
    );
}

#[tokio::test]
async fn an_event_that_is_no_completed_call_is_stored_and_starts_no_job() {
    let app = App::receiver(&[]).await;
    let mut started = event("evt_1", "cl_1");
    started["event"] = json!("call.started");
    app.deliver(&started).await;
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 0);
    app.deliver(&event("evt_2", "cl_1")).await;
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 1);
}

#[tokio::test]
async fn numbers_names_and_notes_stand_in_no_log() {
    let app = App::receiver(&[]).await;
    let worker = app.another("work").await;
    app.deliver(&serde_json::from_str(SAMPLE).unwrap()).await;
    app.process.says("<-- 200").await;
    worker.says("report-call done").await;
    app.all_done().await;
    let log = app.process.log() + &worker.log();
    for personal in ["4085551234", "4085559876", "Jordan", "Callback scheduled", "ACME-4451"] {
        assert!(!log.contains(personal), "{personal} in {log}");
    }
    assert!(log.contains("evt_5z7h3c"));
}

#[tokio::test]
async fn hostile_ids_are_harmless_in_the_log() {
    let app = App::receiver(&[("LOG_FORMAT", "pretty")]).await;
    let mut hostile = event("evt_\u{1b}[2J\r\n<-- 200 forged\u{202e}", "cl_1");
    hostile["event"] = json!("call.\u{7}completed");
    app.deliver(&hostile).await;
    crate::helpers::eventually("the line is there", async || app.process.log().contains("forged")).await;
    assert!(
        !app.process.log().lines().any(|line| line.starts_with("<-- 200 forged")),
        "{}",
        app.process.log()
    );
    assert!(!app.process.log().contains(['\u{1b}', '\u{7}', '\u{202e}']), "{}", app.process.log());
}

#[tokio::test]
async fn a_test_of_the_webhook_is_stored_and_starts_nothing_and_half_a_call_is_refused() {
    let app = App::receiver(&[]).await;
    for test in [
        json!({}),
        json!({ "message": "hello" }),
        json!({ "event": null }),
        json!({ "event": "webhook.test" }),
    ] {
        let (status, word) = told(app.post(test.to_string())).await;
        assert_eq!((status, word.as_str()), (200, "stored"), "{test}");
        assert_eq!(told(app.post(test.to_string())).await.1, "duplicate", "{test}");
    }
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 0);
    let calls = "select string_agg(event || ' ' || events || ' ' || (call_id = event_id), ', ' order by event) from call";
    assert_eq!(app.text(calls).await, "test 1 true, test 1 true, test 1 true, webhook.test 1 true");
    let hello = "select extra ->> 'message' || ': ' || problems[1] from stored_event where extra ? 'message'";
    assert_eq!(app.text(hello).await, "hello: it has nothing of a call: taken for a test of the webhook");
    for half in [
        json!({ "event": "call.completed" }),
        json!({ "call_id": "cl_1" }),
        json!({ "event": {}, "a": "b" }),
        json!({ "type": "call", "data": { "event": "call.completed", "call_id": "cl_1" } }),
        json!({ "callId": "cl_1", "from": "+14085551234" }),
    ] {
        assert_eq!(told(app.post(half.to_string())).await.0, 400, "{half}");
    }
}
