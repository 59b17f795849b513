//! Each row of the table of answers, and their order.

use std::time::{Duration, Instant};

use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    helpers::{App, CURL_SAMPLE_AS_PASTED, SAMPLE, TOKEN, database, eventually, told},
    signatures::{KEY, hex_signature},
};

#[tokio::test]
async fn a_new_event_is_answered_with_stored_and_its_key() {
    let app = App::receiver(&[]).await;
    let response = app.post(SAMPLE).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({ "status": "stored", "event_id": "evt_5z7h3c" })
    );
}

#[tokio::test]
async fn a_repeated_event_is_answered_with_duplicate() {
    let app = App::receiver(&[]).await;
    app.post(SAMPLE).send().await.unwrap();
    let response = app.post(SAMPLE).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({ "status": "duplicate", "event_id": "evt_5z7h3c" })
    );
}

#[tokio::test]
async fn a_body_that_is_no_event_gets_400_and_hears_what_is_wrong_and_where() {
    let app = App::receiver(&[]).await;
    for (body, says) in [
        ("", "not valid JSON: EOF"),
        ("{\"event\": \"call.completed\",\n \"call_id\" cl_1}", "expected `:` at line 2 column 12"),
        ("[1, 2]", "must be a JSON object"),
        ("\"call.completed\"", "must be a JSON object"),
        (r#"{"call_id": "cl_1"}"#, "`event` is missing"),
        (r#"{"event": "call.completed"}"#, "`call_id` is missing"),
        (r#"{"event": "call.completed", "call_id": ""}"#, "`call_id` is missing"),
        (r#"{"event": "call.completed", "call_id": null}"#, "`call_id` is missing"),
        (r#"{"event": ["call.completed"], "call_id": "cl_1"}"#, "`event` is missing"),
    ] {
        let (status, reason) = told(app.post(body)).await;
        assert_eq!(status, 400, "{body}");
        assert!(reason.contains(says), "{body}: {reason}");
    }
    assert_eq!(app.count("select count(*) from call_event").await, 0);
}

#[tokio::test]
async fn the_documentations_curl_sample_pasted_with_its_broken_lines_gets_400_that_says_where() {
    let app = App::receiver(&[]).await;
    let (status, reason) = told(app.post(CURL_SAMPLE_AS_PASTED)).await;
    assert_eq!(status, 400);
    assert!(reason.contains("a text holds a line break at line 5, column 10"), "{reason}");
}

#[tokio::test]
async fn a_wrong_token_gets_401() {
    let app = App::receiver(&[]).await;
    assert_eq!(told(app.bare(SAMPLE).header("X-Webhook-Token", "wrong")).await.0, 401);
}

#[tokio::test]
async fn a_wrong_password_gets_401_with_a_challenge() {
    let app =
        App::receiver(&[("WEBHOOK_BASIC_USER", "platform"), ("WEBHOOK_BASIC_PASSWORD", "a-secret-password")])
            .await;
    let response = app.bare(SAMPLE).basic_auth("platform", Some("wrong")).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Basic realm=\"after-call\"");
}

#[tokio::test]
async fn no_credential_at_all_gets_403() {
    let app = App::receiver(&[]).await;
    let (status, reason) = told(app.bare(SAMPLE)).await;
    assert_eq!(status, 403);
    assert!(reason.starts_with("no credential"), "{reason}");
}

#[tokio::test]
async fn an_address_that_is_not_allowed_gets_403() {
    let app = App::receiver(&[("WEBHOOK_ALLOWED_IPS", "203.0.113.0/24")]).await;
    let (status, reason) = told(app.post(SAMPLE)).await;
    assert_eq!(status, 403);
    assert!(reason.contains("address"), "{reason}");
}

#[tokio::test]
async fn another_path_gets_404_that_does_not_tell_the_right_one() {
    let app = App::receiver(&[]).await;
    let request = app.http.post(app.process.url("/webhook")).header("X-Webhook-Token", TOKEN).body(SAMPLE);
    let (status, reason) = told(request).await;
    assert_eq!(status, 404);
    assert!(reason.contains("WEBHOOK_PATH") && !reason.contains("after-call"), "{reason}");
}

#[tokio::test]
async fn the_path_is_a_setting_with_or_without_a_slash_at_its_end() {
    let app = App::receiver(&[("WEBHOOK_PATH", "/calls/")]).await;
    for (path, status) in [("/calls", 200), ("/calls/", 200), ("/webhooks/after-call", 404)] {
        let request = app.http.post(app.process.url(path)).header("X-Webhook-Token", TOKEN).body(SAMPLE);
        assert_eq!(told(request).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn another_method_than_post_gets_405() {
    let app = App::receiver(&[]).await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let response =
            app.http.request(method, app.url()).header("X-Webhook-Token", TOKEN).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[header::ALLOW], "POST");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_gets_413_and_one_at_the_limit_200() {
    let app = App::receiver(&[("WEBHOOK_MAX_BODY", "1000")]).await;
    let (status, reason) = told(app.post(format!("{SAMPLE:1001}"))).await;
    assert_eq!(status, 413);
    assert!(reason.contains("1000 bytes"), "{reason}");
    assert_eq!(told(app.post(format!("{SAMPLE:1000}"))).await.0, 200);
}

#[tokio::test]
async fn a_content_encoding_gets_415() {
    let app = App::receiver(&[]).await;
    assert_eq!(told(app.post(SAMPLE).header(header::CONTENT_ENCODING, "gzip")).await.0, 415);
    assert_eq!(told(app.post(SAMPLE).header(header::CONTENT_ENCODING, "identity")).await.0, 200);
}

#[tokio::test]
async fn the_content_type_is_not_looked_at() {
    let app = App::receiver(&[]).await;
    assert_eq!(told(app.post(SAMPLE).header(header::CONTENT_TYPE, "text/plain")).await.0, 200);
}

#[tokio::test]
async fn a_head_or_a_body_that_does_not_come_in_time_gets_408() {
    let app = App::receiver(&[]).await;
    let head = "POST /webhooks/after-call HTTP/1.1\r\nhost: x\r\n";
    let (late_head, late_body) = tokio::join!(
        converse(&app, head.to_owned()),
        converse(&app, format!("{head}x-webhook-token: {TOKEN}\r\ncontent-length: 100\r\n\r\n{{\"event\"")),
    );
    assert!(late_head.starts_with("HTTP/1.1 408 "), "{late_head}");
    assert!(late_body.starts_with("HTTP/1.1 408 "), "{late_body}");
}

/// Sends this and no more, and reads until the other side closes.
async fn converse(app: &App, text: String) -> String {
    let mut stream = TcpStream::connect(app.process.address()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_mins(1), reading)
        .await
        .expect("it was left without an answer")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_webhook_that_is_gone_answers_410_to_all() {
    let app = App::receiver(&[("WEBHOOK_GONE", "true")]).await;
    assert_eq!(told(app.post(SAMPLE)).await.0, 410);
    assert_eq!(told(app.bare("")).await.0, 410);
    assert_eq!(told(app.http.get(app.url())).await.0, 410);
}

#[tokio::test]
async fn too_many_failed_credentials_get_429_while_right_ones_are_heard() {
    let app = App::receiver(&[("WEBHOOK_FAILED_AUTH_LIMIT", "3")]).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        let response = app.bare(SAMPLE).header("X-Webhook-Token", "guess").send().await.unwrap();
        answers.push((response.status().as_u16(), response.headers().get(header::RETRY_AFTER).cloned()));
    }
    assert_eq!(answers[0], (401, None));
    assert!(answers.contains(&(429, Some("1".parse().unwrap()))), "{answers:?}");
    assert_eq!(told(app.post(SAMPLE)).await.0, 200);
}

#[tokio::test]
async fn the_limit_of_failed_credentials_can_be_switched_off() {
    let app = App::receiver(&[("WEBHOOK_FAILED_AUTH_LIMIT", "0")]).await;
    for _ in 0..50 {
        assert_eq!(told(app.bare(SAMPLE).header("X-Webhook-Token", "guess")).await.0, 401);
    }
}

#[tokio::test]
async fn a_database_that_is_away_gets_503_in_time_and_nothing_is_lost_when_it_is_back() {
    let app = App::receiver(&[]).await;
    assert_eq!(app.http.get(app.process.url("/health/ready")).send().await.unwrap().status(), 200);
    let name = app.text("select current_database()").await;
    app.db.close().await;
    database::run(&format!("alter database {name} allow_connections false")).await;
    database::run(&format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    ))
    .await;

    let asked = Instant::now();
    let response = app.post(SAMPLE).send().await.unwrap();
    // It comes after a second, or later where this machine is busy; sqlx alone would wait for 30.
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(app.http.get(app.process.url("/health/ready")).send().await.unwrap().status(), 503);
    assert_eq!(app.http.get(app.process.url("/health/live")).send().await.unwrap().status(), 200);

    database::run(&format!("alter database {name} allow_connections true")).await;
    eventually("it stores again", async || told(app.post(SAMPLE)).await == (200, "stored".to_owned())).await;
}

#[tokio::test]
async fn the_checks_come_in_the_documented_order() {
    // Each request below is wrong in all that comes after the check that answers.
    let elsewhere = App::receiver(&[("WEBHOOK_ALLOWED_IPS", "203.0.113.0/24")]).await;
    let (status, reason) = told(elsewhere.bare("x".repeat(100_000))).await;
    assert_eq!((status, reason.contains("address")), (403, true), "first the address");

    let app = App::receiver(&[("WEBHOOK_SIGNING_SECRET", KEY), ("WEBHOOK_MAX_BODY", "1000")]).await;
    let (large, small) = ("x".repeat(100_000), "x");
    let (status, reason) = told(app.bare(large.clone())).await;
    assert_eq!((status, reason.contains("no credential")), (403, true), "then the presence of a credential");
    let wrong = app.bare(large.clone()).header("X-Webhook-Token", "wrong");
    assert_eq!(told(wrong).await.0, 401, "then the token");
    assert_eq!(told(app.post(large)).await.0, 413, "then the size");
    let (status, reason) = told(app.post(small).header("X-Webhook-Signature", "00")).await;
    assert_eq!((status, reason.contains("signature")), (401, true), "then the signature");
    let signed = app.post(small).header("X-Webhook-Signature", hex_signature(KEY, small));
    assert_eq!(told(signed).await.0, 400, "then the form");
}
