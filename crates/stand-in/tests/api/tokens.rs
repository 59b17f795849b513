//! Zendesk's tokens.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::{Fault, zendesk};

use crate::desk::{Desk, TICKET, TOKENS, grant};

#[tokio::test]
async fn a_token_is_given_for_the_clients_secret_and_opens_the_api() {
    let desk = Desk::start().await;
    let granted = desk.post(TOKENS, grant()).await;
    assert_eq!((granted.status, &granted.body["token_type"]), (200, &json!("bearer")));
    assert_eq!(granted.body["scope"], "tickets:read tickets:write");
    assert_eq!(granted.body["expires_in"], 1800);

    // The one before stays good.
    let token = granted.body["access_token"].as_str().unwrap();
    assert_ne!(desk.token, token);
    for token in [token, &desk.token] {
        let read = desk.client.get(desk.stand_in.url() + TICKET).bearer_auth(token);
        assert_eq!(desk.send(read).await.status, 200);
    }
}

#[tokio::test]
async fn a_wrong_client_gets_no_token() {
    let desk = Desk::start().await;
    for (field, value) in [("client_secret", json!("wrong")), ("client_id", json!("wrong"))] {
        let mut wrong = grant();
        wrong[field] = value;
        desk.post(TOKENS, wrong).await.refused(401, "invalid_client", "error_description");
    }
    desk.stand_in.fail(Fault::status(401).on(TOKENS));
    desk.post(TOKENS, grant()).await.refused(401, "invalid_client", "error_description");
    assert_eq!(desk.get(TICKET).await.status, 200);
    assert_eq!(desk.post(TOKENS, grant()).await.status, 200);
}

#[tokio::test]
async fn what_is_no_request_for_a_token_gets_none() {
    let desk = Desk::start().await;
    let mut password = grant();
    password["grant_type"] = json!("password");
    desk.post(TOKENS, password).await.refused(400, "unsupported_grant_type", "error_description");
    for (field, value, error, word) in [
        ("scope", json!("tickets:delete"), "invalid_scope", "scope does not match"),
        ("scope", Value::Null, "invalid_request", "scope must be a string"),
        ("client_secret", Value::Null, "invalid_request", "client_secret must be a string"),
        ("scopes", json!("read"), "invalid_request", "scopes is unknown"),
    ] {
        let mut wrong = grant();
        wrong[field] = value;
        desk.post(TOKENS, wrong).await.refused(400, error, word);
    }
    let form = "grant_type=client_credentials&client_id=stand-in&client_secret=stand-in-secret";
    let form =
        desk.request("POST", TOKENS).body(form).header("Content-Type", "application/x-www-form-urlencoded");
    desk.send(form).await.refused(400, "invalid_request", "error_description");
    desk.get(TOKENS).await.refused(404, "InvalidEndpoint", "Not found");
}

#[tokio::test]
async fn a_missing_token_and_a_wrong_one_are_refused_differently() {
    let desk = Desk::start().await;
    let url = desk.stand_in.url() + TICKET;
    let missing = desk.send(desk.client.get(&url)).await;
    missing.refused(401, "Couldn't authenticate you", "");
    assert!(missing.header("www-authenticate").unwrap().starts_with("Basic"));
    let basic = desk.send(desk.client.get(&url).basic_auth("agent/token", Some("secret"))).await;
    basic.refused(401, "Couldn't authenticate you", "");
    // HubSpot's.
    let wrong = desk.send(desk.client.get(&url).bearer_auth("stand-in")).await;
    wrong.refused(401, "invalid_token", "error_description");
    assert!(wrong.header("www-authenticate").unwrap().contains("invalid_token"));
}

#[tokio::test]
async fn a_token_expires_and_can_be_revoked() {
    let token_lifetime = Duration::from_millis(300);
    let mut desk = Desk::start_with(zendesk::Options { token_lifetime, ..Default::default() }).await;
    assert_eq!(desk.get(TICKET).await.status, 200);
    tokio::time::sleep(token_lifetime).await;
    desk.get(TICKET).await.refused(401, "invalid_token", "expired");

    desk = Desk::at(desk.stand_in).await;
    assert_eq!(desk.get(TICKET).await.status, 200);
    desk.stand_in.zendesk().revoke_tokens();
    desk.get(TICKET).await.refused(401, "invalid_token", "revoked");
}

#[tokio::test]
async fn a_token_is_good_for_what_it_was_asked_for() {
    let mut desk = Desk::start().await;
    for (scope, reads, writes) in [
        (json!("tickets:read"), 200, 403),
        (json!("tickets:write"), 403, 200),
        (json!("read write"), 200, 200),
        (json!("users:read users:write"), 403, 403),
    ] {
        let mut asked = grant();
        asked["scope"] = scope;
        let granted = desk.post(TOKENS, asked).await;
        desk.token = granted.body["access_token"].as_str().unwrap().into();
        let statuses = (desk.get(TICKET).await.status, desk.update(json!({})).await.status);
        assert_eq!(statuses, (reads, writes), "{}", granted.body);
    }
    desk.get(TICKET).await.refused(403, "insufficient_scope", "");
}

#[tokio::test]
async fn neither_the_secret_nor_a_token_is_ever_shown() {
    let desk = Desk::start().await;
    desk.get(TICKET).await;
    desk.post(&format!("{TOKENS}?client_secret=stand-in-secret"), grant()).await;
    desk.send(desk.request("POST", TOKENS).body("client_secret=stand-in-secret")).await;
    let received = desk.get("/stand-in/received").await.body;
    assert_eq!(received.as_array().unwrap().len(), 4);
    assert_eq!(
        received[0]["body"],
        json!({ "client_id": "stand-in", "grant_type": "client_credentials",
            "scope": "tickets:read tickets:write" })
    );
    for secret in ["stand-in-secret", &desk.token] {
        assert!(!received.to_string().contains(secret), "{received}");
    }
}
