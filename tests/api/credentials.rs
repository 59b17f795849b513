//! Each scheme, each rotation.

use reqwest::header;
use serde_json::json;

use crate::helpers::{App, Process, SAMPLE, TOKEN, told};

#[tokio::test]
async fn the_token_may_be_in_a_header_of_any_name() {
    let app = App::receiver(&[("WEBHOOK_TOKEN_HEADER", "X-Acme-Secret")]).await;
    assert_eq!(told(app.bare(SAMPLE).header("x-acme-secret", TOKEN)).await.0, 200);
    assert_eq!(told(app.bare(SAMPLE).header("X-Webhook-Token", TOKEN)).await.0, 403);
}

#[tokio::test]
async fn a_bearer_token_in_the_authorization_header_is_a_custom_header_too() {
    let app = App::receiver(&[("WEBHOOK_TOKEN_HEADER", "Authorization")]).await;
    assert_eq!(told(app.bare(SAMPLE).bearer_auth(TOKEN)).await.0, 200);
    assert_eq!(told(app.bare(SAMPLE).header(header::AUTHORIZATION, TOKEN)).await.0, 200);
    assert_eq!(told(app.bare(SAMPLE).bearer_auth("wrong")).await.0, 401);
}

#[tokio::test]
async fn basic_auth_admits() {
    let app = App::receiver(&[
        ("WEBHOOK_TOKEN", ""),
        ("WEBHOOK_BASIC_USER", "platform"),
        ("WEBHOOK_BASIC_PASSWORD", "pass:word-of-length"),
    ])
    .await;
    assert_eq!(told(app.bare(SAMPLE).basic_auth("platform", Some("pass:word-of-length"))).await.0, 200);
    for (user, password) in
        [("platform", "pass"), ("platform", ""), ("other", "pass:word-of-length"), ("", "")]
    {
        assert_eq!(told(app.bare(SAMPLE).basic_auth(user, Some(password))).await.0, 401, "{user}:{password}");
    }
    for malformed in ["Basic", "Basic ", "Basic !", "basic cGxhdGZvcm0=", "Bearer x"] {
        assert_eq!(
            told(app.bare(SAMPLE).header(header::AUTHORIZATION, malformed)).await.0,
            401,
            "{malformed}"
        );
    }
    assert_eq!(told(app.post(SAMPLE)).await.0, 403, "a token is no credential where none is configured");
}

#[tokio::test]
async fn either_scheme_admits_where_both_are_configured() {
    let app =
        App::receiver(&[("WEBHOOK_BASIC_USER", "platform"), ("WEBHOOK_BASIC_PASSWORD", "a-secret-password")])
            .await;
    app.deliver_text(SAMPLE).await;
    assert_eq!(told(app.bare(SAMPLE).basic_auth("platform", Some("a-secret-password"))).await.0, 200);
    let one_wrong =
        app.bare(SAMPLE).header("X-Webhook-Token", "wrong").basic_auth("platform", Some("a-secret-password"));
    assert_eq!(told(one_wrong).await.0, 200);
    let both_wrong =
        app.bare(SAMPLE).header("X-Webhook-Token", "wrong").basic_auth("platform", Some("wrong"));
    assert_eq!(told(both_wrong).await.0, 401);
}

#[tokio::test]
async fn the_previous_token_admits_during_a_rotation_and_says_so_in_the_log() {
    let app = App::receiver(&[("WEBHOOK_TOKEN_PREVIOUS", "old")]).await;
    app.deliver_text(SAMPLE).await;
    assert!(app.process.logged("WEBHOOK_TOKEN_PREVIOUS").is_none());
    assert_eq!(told(app.bare(SAMPLE).header("X-Webhook-Token", "old")).await.0, 200);
    app.process.says("still sends the secret of WEBHOOK_TOKEN_PREVIOUS").await;
    assert_eq!(told(app.bare(SAMPLE).header("X-Webhook-Token", "older")).await.0, 401);
}

#[tokio::test]
async fn the_previous_user_and_password_admit_during_a_rotation() {
    let settings = [
        ("WEBHOOK_BASIC_USER", "new"),
        ("WEBHOOK_BASIC_PASSWORD", "a-fresh-password"),
        ("WEBHOOK_BASIC_USER_PREVIOUS", "old"),
        ("WEBHOOK_BASIC_PASSWORD_PREVIOUS", "stale"),
    ];
    let app = App::receiver(&settings).await;
    for (user, password, status) in [
        ("new", "a-fresh-password", 200),
        ("old", "stale", 200),
        ("new", "stale", 401),
        ("old", "a-fresh-password", 401),
    ] {
        assert_eq!(
            told(app.bare(SAMPLE).basic_auth(user, Some(password))).await.0,
            status,
            "{user}:{password}"
        );
    }
    let same_user = App::receiver(&[
        ("WEBHOOK_BASIC_USER", "same"),
        ("WEBHOOK_BASIC_PASSWORD", "a-fresh-password"),
        ("WEBHOOK_BASIC_PASSWORD_PREVIOUS", "stale"),
    ])
    .await;
    assert_eq!(told(same_user.bare(SAMPLE).basic_auth("same", Some("stale"))).await.0, 200);
}

#[tokio::test]
async fn a_credential_that_is_sent_twice_is_refused() {
    let app = App::receiver(&[]).await;
    for (first, second) in [(TOKEN, "wrong"), ("wrong", TOKEN), (TOKEN, TOKEN)] {
        let request = app.bare(SAMPLE).header("X-Webhook-Token", first).header("X-Webhook-Token", second);
        assert_eq!(told(request).await.0, 401);
    }
}

#[tokio::test]
async fn without_authentication_all_are_heard_where_the_settings_say_so() {
    let app = App::receiver(&[("WEBHOOK_TOKEN", ""), ("WEBHOOK_ALLOW_UNAUTHENTICATED", "true")]).await;
    assert_eq!(told(app.bare(SAMPLE)).await.0, 200);
}

#[tokio::test]
async fn the_stored_headers_hold_no_credential() {
    let app =
        App::receiver(&[("WEBHOOK_BASIC_USER", "platform"), ("WEBHOOK_BASIC_PASSWORD", "a-secret-of-basic")])
            .await;
    let request = app.post(SAMPLE).basic_auth("platform", Some("a-secret-of-basic")).header("X-Kept", "yes");
    let mut request = request.header(header::COOKIE, "a-cookie").header("X-Forwarded-Copy", TOKEN);
    for name in
        ["X-Api-Key", "X-Auth-Token", "CF-Access-Client-Secret", "Proxy-Authorization", "X-Session-Id"]
    {
        request = request.header(name, "somebodys");
    }
    assert_eq!(told(request).await.0, 200);
    let headers = app.text("select headers::text from call_event").await;
    assert!(headers.contains(r#"["x-kept", "yes"]"#), "{headers}");
    for secret in [TOKEN, "authorization", "a-cookie", "somebodys"] {
        assert!(!headers.contains(secret), "{headers}");
    }
}

#[tokio::test]
async fn a_process_that_would_hear_nobody_or_everybody_by_mistake_does_not_start_and_says_what_to_set() {
    for (settings, says) in [
        (json!({}), "set WEBHOOK_TOKEN"),
        (json!({ "WEBHOOK_TOKEN": "" }), "WEBHOOK_TOKEN is empty"),
        (
            json!({ "WEBHOOK_TOKEN": TOKEN, "WEBHOOK_TOKEN_FILE": "/x" }),
            "WEBHOOK_TOKEN and WEBHOOK_TOKEN_FILE are both set",
        ),
        (json!({ "WEBHOOK_TOKEN_FILE": "/nowhere" }), "WEBHOOK_TOKEN_FILE names /nowhere"),
        (
            json!({ "WEBHOOK_BASIC_USER": "platform" }),
            "WEBHOOK_BASIC_USER and WEBHOOK_BASIC_PASSWORD go together",
        ),
        (json!({ "WEBHOOK_TOKEN": TOKEN, "WEBHOOK_ALLOWED_IPS": "" }), "say `any`"),
        (
            json!({ "WEBHOOK_TOKEN": TOKEN, "WEBHOOK_ALLOWED_IPS": "10.0.0.0/33" }),
            "`10.0.0.0/33` is no network",
        ),
        (
            json!({ "WEBHOOK_BASIC_USER": "u", "WEBHOOK_BASIC_PASSWORD": "a-long-password!", "WEBHOOK_SIGNATURE": "required" }),
            "set WEBHOOK_SIGNING_SECRET",
        ),
        (
            json!({ "WEBHOOK_TOKEN": TOKEN, "PUBLIC_URL": "https://calls.example.com" }),
            "PUBLIC_URL is set, and WEBHOOK_ALLOWED_IPS lets this machine alone deliver",
        ),
        (json!({ "WEBHOOK_TOKEN": "fifteen-letters" }), "WEBHOOK_TOKEN has fewer than 16 characters"),
        (
            json!({ "WEBHOOK_BASIC_USER": "u", "WEBHOOK_BASIC_PASSWORD": "p" }),
            "WEBHOOK_BASIC_PASSWORD has fewer than 16 characters",
        ),
        (
            json!({ "WEBHOOK_TOKEN": TOKEN, "WEBHOOK_SIGNING_SECRET": "key" }),
            "WEBHOOK_SIGNING_SECRET has fewer than 16 characters",
        ),
        (json!({ "WEBHOOK_TOKEN": TOKEN, "CONSOLE_PASSWORD": "word" }), "`openssl rand -hex 32`"),
        (json!({ "WEBHOOK_TOKEN": TOKEN, "JOBS": "update-crn" }), "JOBS: `update-crn` is no job"),
    ] {
        let settings = settings.as_object().unwrap().iter();
        let settings: Vec<_> =
            settings.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        Process::refuses("receive", &settings, says).await;
    }
}

#[tokio::test]
async fn a_secret_may_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a-token-from-a-file\n").unwrap();
    let path = file.path().to_str().unwrap();
    let app = App::receiver(&[("WEBHOOK_TOKEN", ""), ("WEBHOOK_TOKEN_FILE", path)]).await;
    assert_eq!(told(app.bare(SAMPLE).header("X-Webhook-Token", "a-token-from-a-file")).await.0, 200);
}

#[tokio::test]
async fn deliveries_under_the_previous_token_are_counted_and_told_once_a_minute() {
    let app = App::receiver(&[("WEBHOOK_TOKEN_PREVIOUS", "old")]).await;
    for _ in 0..5 {
        assert_eq!(told(app.bare(SAMPLE).header("X-Webhook-Token", "old")).await.0, 200);
    }
    let line = app.process.says("still sends the secret of WEBHOOK_TOKEN_PREVIOUS").await;
    assert_eq!(line["deliveries"], 1);
    let (_, log) = app.process.terminate().await;
    assert_eq!(log.matches("still sends the secret of").count(), 1);
}
