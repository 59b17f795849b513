//! Bodies: what is broken in one field costs that field alone.

use serde_json::{Value, json};
use sqlx::Row;

use crate::helpers::{
    App, SAMPLE, event,
    raw::{complete, delivery},
    told,
};

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// The sample with this raw JSON for a field.
fn with(event_id: &str, field: &str, raw: &str) -> String {
    let mut event = event(event_id, "cl_1");
    event[field] = json!("<here>");
    event.to_string().replace("\"<here>\"", raw)
}

#[tokio::test]
async fn a_hostile_field_is_null_and_leaves_a_problem_and_the_call_is_stored() {
    const SECONDS: &str = "duration_seconds is not a whole number of seconds";
    const TIME: &str = "started_at is not an ISO-8601 timestamp";
    let app = App::receiver(&[]).await;
    let deep = nested(10_000);
    let deep_id = format!("{{\"id\":{deep}}}");
    for (number, (field, raw, problem)) in [
        ("notes", deep.as_str(), "notes is not a text"),
        ("from", deep.as_str(), "from is not a text"),
        ("queue", deep.as_str(), "queue is not an object with id and name"),
        ("queue", deep_id.as_str(), "queue.id is not a text"),
        ("custom_fields", deep.as_str(), "custom_fields is not an object"),
        ("started_at", deep.as_str(), TIME),
        ("started_at", "1755770000", TIME),
        ("started_at", "\"\"", TIME),
        ("started_at", "\"2025-02-30T00:00:00Z\"", TIME),
        ("started_at", "\"2025-08-21T25:00:00Z\"", TIME),
        ("started_at", "\"0000-00-00T00:00:00Z\"", TIME),
        ("started_at", "\"-0044-03-15T12:00:00Z\"", TIME),
        ("started_at", "\"1969-12-31T23:59:59Z\"", TIME),
        ("started_at", "\"9999-12-31T23:59:59-01:00\"", TIME),
        ("started_at", "\"+262142-12-31T23:59:59-23:59\"", TIME),
        ("started_at", "\"2025-08-21T10:58:13\\u0000Z\"", TIME),
        ("duration_seconds", deep.as_str(), SECONDS),
        ("duration_seconds", "-1", SECONDS),
        ("duration_seconds", "0.5", SECONDS),
        ("duration_seconds", "1e999", SECONDS),
        ("duration_seconds", "4294967296", SECONDS),
        ("duration_seconds", "18446744073709551616", SECONDS),
        ("duration_seconds", "\"\\ud800\"", SECONDS),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("evt_{number}");
        assert_eq!(told(app.post(with(&id, field, raw))).await, (200, "stored".to_owned()), "{problem}");
        let row = sqlx::query("select problems, call_id from stored_event where event_id = $1").bind(&id);
        let row = row.fetch_one(&app.db).await.unwrap();
        assert_eq!(row.get::<Vec<String>, _>(0), [problem], "{field}");
        assert_eq!(row.get::<String, _>(1), "cl_1");
    }
}

#[tokio::test]
async fn what_is_only_strange_is_stored_as_it_came() {
    let app = App::receiver(&[]).await;
    let long = "x".repeat(10_240);
    for (number, (field, column, raw, stored)) in [
        ("call_id", "call_id", format!("\"{long}\""), long.as_str()),
        // As floats, these two would be one call.
        ("call_id", "call_id", "123456789012345678901".to_owned(), "123456789012345678901"),
        ("call_id", "call_id", "123456789012345678902".to_owned(), "123456789012345678902"),
        ("call_id", "call_id", "\"cl_\\u0000\"".to_owned(), "cl_\u{FFFD}"),
        ("call_id", "call_id", "\"cl_\\ud800\"".to_owned(), "cl_\u{FFFD}\u{FFFD}\u{FFFD}"),
        ("event", "event", "\"call.\\udead\"".to_owned(), "call.\u{FFFD}\u{FFFD}\u{FFFD}"),
        ("notes", "notes", "\"\\ud83d\\ude00\"".to_owned(), "\u{1F600}"),
        ("duration_seconds", "duration_seconds::text", "4294967295".to_owned(), "4294967295"),
        ("started_at", "started_at::text", "\"2016-12-31T23:59:60Z\"".to_owned(), "2017-01-01 00:00:00+00"),
        ("started_at", "started_at::text", "\"9999-12-31T23:59:59Z\"".to_owned(), "9999-12-31 23:59:59+00"),
        ("unknown", "call_id", nested(10_000), "cl_1"),
        ("unknown", "extra ->> 'unknown'", nested(127), &nested(127)),
        ("un\u{0}known", "call_id", "1e999".to_owned(), "cl_1"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("evt_{number}");
        assert_eq!(told(app.post(with(&id, field, &raw))).await, (200, "stored".to_owned()), "{field} {raw}");
        let query = format!("select {column}, problems from stored_event where event_id = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(&id);
        let row = query.fetch_one(&app.db).await.unwrap();
        assert_eq!(row.get::<String, _>(0), stored, "{field} {raw}");
        assert!(row.get::<Vec<String>, _>(1).is_empty(), "{field} {raw}");
    }
}

#[tokio::test]
async fn a_custom_field_that_can_not_be_kept_costs_none_of_the_others() {
    let app = App::receiver(&[]).await;
    let custom = format!(
        r#"{{"crm_id":12345678901234567890123,"deep":{},"broken":["\ud800"],"huge":1e999,"":null,"half":"\udc00","tree":{{"a":[1,2.5]}}}}"#,
        nested(3000)
    );
    assert_eq!(told(app.post(with("evt_1", "custom_fields", &custom))).await, (200, "stored".to_owned()));
    let row =
        sqlx::query("select custom_fields, problems from stored_event").fetch_one(&app.db).await.unwrap();
    assert_eq!(
        row.get::<Value, _>(0),
        json!({
            "crm_id": "12345678901234567890123", "huge": "1e999", "": null,
            "half": "\u{FFFD}\u{FFFD}\u{FFFD}", "tree": { "a": [1, 2.5] },
        })
    );
    assert_eq!(row.get::<Vec<String>, _>(1), ["custom_fields holds 2 that can't be kept"]);
}

#[tokio::test]
async fn custom_fields_of_more_than_8_kb_keep_their_texts_and_numbers() {
    let app = App::receiver(&[]).await;
    let tree = vec![json!({ "": 0 }); 5000];
    let custom = json!({ "crm_id": "ACME-1", "score": 5, "tree": tree }).to_string();
    assert_eq!(told(app.post(with("evt_1", "custom_fields", &custom))).await, (200, "stored".to_owned()));
    assert_eq!(
        app.text("select custom_fields::text from call_event").await,
        r#"{"score": 5, "crm_id": "ACME-1"}"#
    );
    assert_eq!(
        app.text("select problems[1] from stored_event").await,
        "custom_fields holds 1 that can't be kept"
    );
}

#[tokio::test]
async fn fields_that_nobody_knows_are_kept_beside_custom_fields_of_8_kb_together() {
    let app = App::receiver(&[]).await;
    let tree = json!(vec![json!({ "": 0 }); 700]);
    for (event_id, custom, kept) in [("evt_1", json!({}), true), ("evt_2", json!({ "tree": tree }), false)] {
        let mut event = event(event_id, "cl_1");
        event["custom_fields"] = custom;
        event["text"] = json!("x".repeat(100));
        event["tree"] = tree.clone();
        assert_eq!(told(app.post(event.to_string())).await, (200, "stored".to_owned()));
        let row = sqlx::query(
            "select extra ? 'text', extra ? 'tree', custom_fields from stored_event where event_id = $1",
        )
        .bind(event_id)
        .fetch_one(&app.db)
        .await
        .unwrap();
        assert_eq!((row.get::<bool, _>(0), row.get::<bool, _>(1)), (true, kept), "{event_id}");
        assert_eq!(row.get::<Value, _>(2), event["custom_fields"]);
    }
}

#[tokio::test]
async fn an_event_id_of_ten_thousand_letters_is_replaced_by_the_bodys_hash() {
    let app = App::receiver(&[]).await;
    let letters: String = std::iter::repeat_with(fastrand::alphanumeric).take(10_240).collect();
    for status in ["stored", "duplicate"] {
        let answer = app.deliver(&event(&letters, "cl_1")).await;
        assert_eq!(answer["status"], status);
        assert!(answer["event_id"].as_str().unwrap().starts_with("sha256:"), "{answer}");
    }
}

#[tokio::test]
async fn of_a_key_that_is_there_twice_the_last_counts() {
    let app = App::receiver(&[]).await;
    let body = SAMPLE.trim_end().strip_suffix('}').unwrap().to_owned() + r#","call_id":"cl_last"}"#;
    app.deliver_text(body).await;
    assert_eq!(app.text("select call_id from call_event").await, "cl_last");
}

#[tokio::test]
async fn thousands_of_keys_are_stored_everywhere() {
    let app = App::receiver(&[]).await;
    let keys: Vec<_> = (0..5000).map(|number| format!("\"{number}\":0")).collect();
    let keys = format!("{{{}}}", keys.join(","));
    app.deliver_text(with("evt_1", "custom_fields", &keys)).await;
    let top = keys.replacen('{', r#"{"event":"call.completed","call_id":"cl_1","#, 1);
    app.deliver_text(top).await;
    let count = "select count(*) from call_event, jsonb_object_keys(custom_fields)";
    assert_eq!(app.count(count).await, 5000);
}

#[tokio::test]
async fn a_body_in_another_encoding_is_stored_where_its_json_can_be_read() {
    let app = App::receiver(&[]).await;
    let latin_1 =
        [r#"{"event":"call.completed","call_id":"cl_1","notes":"caf"#.as_bytes(), b"\xE9\"}"].concat();
    assert_eq!(told(app.post(latin_1.clone())).await, (200, "stored".to_owned()));
    assert_eq!(app.text("select notes from stored_event").await, "caf\u{FFFD}");
    assert_eq!(app.text("select problems[1] from stored_event").await, "the body is not UTF-8");
    let body: Vec<u8> = sqlx::query_scalar("select body from call_event").fetch_one(&app.db).await.unwrap();
    assert_eq!(body, latin_1, "the body itself is kept as it came");

    let with_mark = format!("\u{FEFF}{}", event("evt_mark", "cl_1"));
    app.deliver_text(with_mark).await;
    let utf_16 = |order: fn(u16) -> [u8; 2]| SAMPLE.encode_utf16().flat_map(order).collect::<Vec<_>>();
    assert_eq!(told(app.post(utf_16(u16::to_le_bytes))).await.0, 400);
    assert_eq!(told(app.post(utf_16(u16::to_be_bytes))).await.0, 400);
}

#[tokio::test]
async fn a_body_that_is_no_event_at_all_gets_400() {
    let app = App::receiver(&[]).await;
    for body in [
        vec![0; 1000],
        vec![0xFF; 60_000],
        nested(10_000).into_bytes(),
        "[".repeat(60_000).into_bytes(),
        "{\"a\":".repeat(10_000).into_bytes(),
        "\"".repeat(60_000).into_bytes(),
        "9".repeat(60_000).into_bytes(),
        SAMPLE.replace('"', "'").into_bytes(),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec(),
    ] {
        assert_eq!(told(app.post(body.clone())).await.0, 400, "{:?}", &body[..10]);
    }
    assert_eq!(app.count("select count(*) from call_event").await, 0);
}

#[tokio::test]
async fn a_header_that_is_no_text_is_kept_as_far_as_it_goes() {
    let app = App::receiver(&[]).await;
    let mut request = complete("x-strange: <", SAMPLE);
    let strange = request.iter().position(|byte| *byte == b'<').unwrap();
    request.splice(strange..=strange, *b"\xFF\xC3\r\n");
    assert_eq!(app.say(&request).await.statuses(), [200]);
    let headers = app.text("select headers::text from call_event").await;
    assert!(headers.contains("[\"x-strange\", \"\u{FFFD}\u{FFFD}\"]"), "{headers}");
    let nul = delivery("x-strange: a\0b\r\n", "");
    assert_eq!(app.say(&nul).await.statuses(), [400]);
}
