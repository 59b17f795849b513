//! Credentials that are there twice, empty, broken or endless.

use reqwest::header;

use crate::helpers::{App, SAMPLE, TOKEN, raw::complete, told};

const RIGHT: &str = "Basic cGxhdGZvcm06YS1zZWNyZXQtcGFzc3dvcmQ="; // platform:a-secret-password

#[tokio::test]
async fn a_credential_that_is_there_twice_is_refused_in_either_order() {
    let settings = [
        ("WEBHOOK_BASIC_USER", "platform"),
        ("WEBHOOK_BASIC_PASSWORD", "a-secret-password"),
        ("WEBHOOK_FAILED_AUTH_LIMIT", "0"),
    ];
    let app = App::receiver(&settings).await;
    let signature = crate::signatures::hex_signature(TOKEN, SAMPLE);
    assert_eq!(told(app.bare(SAMPLE).header(header::AUTHORIZATION, RIGHT)).await.0, 200);
    for (name, right) in
        [("X-Webhook-Token", TOKEN), ("Authorization", RIGHT), ("X-Webhook-Signature", &signature)]
    {
        for (first, second) in [(right, "wrong"), ("wrong", right), (right, right), (right, ""), ("", right)]
        {
            let request = app.bare(SAMPLE).header(name, first).header(name, second);
            // A signature alone is no credential.
            let request = if name == "X-Webhook-Signature" {
                request.header("X-Webhook-Token", TOKEN)
            } else {
                request
            };
            assert_eq!(told(request).await.0, 401, "{name}: {first}, {second}");
        }
    }
    assert_eq!(app.count("select count(*) from call_event").await, 1);
}

#[tokio::test]
async fn broken_credentials_get_401_or_403_and_endless_ones_431() {
    let settings = [
        ("WEBHOOK_BASIC_USER", "platform"),
        ("WEBHOOK_BASIC_PASSWORD", "a-secret-password"),
        ("WEBHOOK_FAILED_AUTH_LIMIT", "0"),
    ];
    let app = App::receiver(&settings).await;
    let long = "x".repeat(10_000);
    let endless = "x".repeat(100_000);
    for (line, status) in [
        (String::new(), 403),
        ("x-webhook-token:".to_owned(), 401),
        ("x-webhook-token: Bearer".to_owned(), 401),
        (format!("x-webhook-token: {TOKEN}, {TOKEN}"), 401),
        (format!("x-webhook-token: {TOKEN}x"), 401),
        (format!("x-webhook-token: Bearer Bearer {TOKEN}"), 401),
        (format!("x-webhook-token: {long}"), 401),
        (format!("x-webhook-token: {endless}"), 431),
        ("authorization:".to_owned(), 401),
        ("authorization: Basic".to_owned(), 401),
        ("authorization: Basic \u{e9}".to_owned(), 401),
        ("authorization: Basic AAAA".to_owned(), 401),
        ("authorization: Basic =".to_owned(), 401),
        (format!("authorization: {RIGHT}="), 401),
        (format!("authorization: Basic {long}"), 401),
        (format!("authorization: Basic {endless}"), 431),
        ("authorization: Digest username=platform".to_owned(), 401),
    ] {
        let request = String::from_utf8(complete("", SAMPLE)).unwrap();
        let mine = if line.is_empty() { String::new() } else { format!("{line}\r\n") };
        let request = request.replacen(&format!("x-webhook-token: {TOKEN}\r\n"), &mine, 1);
        let answers = app.say(request.as_bytes()).await;
        assert_eq!(answers.statuses(), [status], "{line:.60}: {answers:?}");
    }
    for signature in ["zz", "sha256=", "sha256=sha256=00", &"00".repeat(32), &long, "\u{e9}"] {
        let request = app.post(SAMPLE).header("X-Webhook-Signature", signature);
        assert_eq!(told(request).await.0, 401, "{signature:.60}");
    }
    assert_eq!(app.count("select count(*) from call_event").await, 0);
}
