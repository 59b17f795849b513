//! Whose address counts, with and without proxies between.

use crate::helpers::{App, SAMPLE, told};

/// The status of a delivery with these lines of X-Forwarded-For.
async fn status(app: &App, forwarded: &[&str]) -> u16 {
    let request =
        forwarded.iter().fold(app.post(SAMPLE), |request, line| request.header("X-Forwarded-For", *line));
    told(request).await.0
}

#[tokio::test]
async fn without_settings_only_this_machine_may_deliver() {
    let app = App::receiver(&[]).await;
    assert_eq!(status(&app, &[]).await, 200);
}

#[tokio::test]
async fn a_proxy_that_nobody_named_is_refused_and_the_log_names_the_setting() {
    let app = App::receiver(&[]).await;
    assert_eq!(status(&app, &["127.0.0.1"]).await, 403, "even one that claims to forward for this machine");
    app.process.says("TRUSTED_PROXIES").await;
}

#[tokio::test]
async fn a_proxy_beside_us_that_nobody_named_is_refused_by_any_header_that_shows_it() {
    let app = App::receiver(&[]).await;
    for (name, value) in [
        ("Forwarded", "for=203.0.113.7"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
        ("CF-Connecting-IP", "203.0.113.7"),
        ("Via", "1.1 proxy"),
    ] {
        let (status, reason) = told(app.post(SAMPLE).header(name, value)).await;
        assert_eq!((status, reason.contains("TRUSTED_PROXIES")), (403, true), "{name}: {reason}");
    }
    let any = App::receiver(&[("WEBHOOK_ALLOWED_IPS", "any")]).await;
    assert_eq!(
        told(any.post(SAMPLE).header("Via", "1.1 proxy")).await.0,
        200,
        "its address admits nobody there"
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_that_it_saw_counts() {
    let app = App::receiver(&[
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("WEBHOOK_ALLOWED_IPS", "203.0.113.0/24,2001:db8::/32"),
    ])
    .await;
    for (forwarded, expected) in [
        (vec!["203.0.113.7"], 200),
        (vec!["2001:db8::7"], 200),
        (vec!["[2001:db8::7]:443"], 200),
        (vec!["203.0.113.7:51234"], 200),
        (vec!["::ffff:203.0.113.7"], 200),
        (vec!["198.51.100.1"], 403),
        (vec!["198.51.100.1, 203.0.113.7"], 200),
        (vec!["203.0.113.7, 198.51.100.1"], 403),
        (vec!["203.0.113.7", "198.51.100.1"], 403),
        (vec!["198.51.100.1", "203.0.113.7"], 200),
        (vec!["203.0.113.7, nonsense"], 403),
        (vec!["203.0.113.7,"], 403),
        (vec!["nonsense, 203.0.113.7"], 200),
        (vec![], 403),
    ] {
        assert_eq!(status(&app, &forwarded).await, expected, "{forwarded:?}");
    }
}

#[tokio::test]
async fn a_chain_of_trusted_proxies_is_followed_to_the_first_that_is_none() {
    let settings = [("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"), ("WEBHOOK_ALLOWED_IPS", "203.0.113.7")];
    let app = App::receiver(&settings).await;
    assert_eq!(status(&app, &["203.0.113.7, 10.0.0.2, 10.0.0.1"]).await, 200);
    assert_eq!(status(&app, &["203.0.113.7, 198.51.100.1, 10.0.0.1"]).await, 403);
    assert_eq!(
        status(&app, &["10.0.0.3, 10.0.0.2"]).await,
        403,
        "a proxy is no client unless the allowlist says so"
    );
}

#[tokio::test]
async fn any_address_must_be_said_and_then_any_may_deliver() {
    let app = App::receiver(&[("WEBHOOK_ALLOWED_IPS", "any")]).await;
    assert_eq!(status(&app, &[]).await, 200);
    assert_eq!(
        status(&app, &["198.51.100.1"]).await,
        200,
        "whom an unknown proxy forwards for decides nothing here"
    );
}

#[tokio::test]
async fn failed_credentials_are_counted_for_the_client_and_not_for_its_proxy() {
    let settings = [
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("WEBHOOK_ALLOWED_IPS", "any"),
        ("WEBHOOK_FAILED_AUTH_LIMIT", "1"),
    ];
    let app = App::receiver(&settings).await;
    let guess =
        |client: &str| app.bare(SAMPLE).header("X-Webhook-Token", "guess").header("X-Forwarded-For", client);
    let mut noisy = Vec::new();
    for _ in 0..10 {
        noisy.push(told(guess("203.0.113.7")).await.0);
    }
    assert!(noisy.contains(&429), "{noisy:?}");
    assert_eq!(told(guess("203.0.113.8")).await.0, 401);
}
