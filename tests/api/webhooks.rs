//! Deliveries to webhooks of one's own.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use stand_in::{Fault, SinkDelivery};

use crate::helpers::{App, Process, event};

async fn start(job: &str, url: &str, secret: &str) -> App {
    let app = App::receiver(&[("JOBS", job)]).await;
    let sink = format!("{}/sink/calls", app.stand_in.url());
    let settings = [("JOBS", job), (url, &sink), (&url.replace("URL", "SECRET"), secret)];
    let settings: Vec<_> = settings.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    app.joined_by("work", &settings).await
}

fn deliveries(app: &App) -> Vec<SinkDelivery> {
    app.stand_in.sink().deliveries()
}

#[tokio::test]
async fn every_call_is_reported_as_json_under_a_key_of_its_own() {
    let app = start("report-call", "REPORT_URL", "").await;
    for n in 0..3 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    app.all_done().await;
    let deliveries = deliveries(&app);
    assert_eq!((deliveries.len(), app.stand_in.sink().distinct_keys()), (3, 3));
    let first =
        deliveries.iter().find(|delivery| delivery.key.as_deref() == Some("evt_0:report-call")).unwrap();
    assert_eq!(first.body["type"], "report-call");
    for (field, value) in [
        ("call_id", json!("cl_0")),
        ("status", json!("answered")),
        ("direction", json!("inbound")),
        ("duration_seconds", json!(271)),
        ("started_at", json!("2025-08-21T10:58:13Z")),
        ("queue", json!({ "id": "q_23", "name": "Support" })),
        ("custom_fields", json!({ "crm_id": "ACME-4451", "priority": "high" })),
    ] {
        assert_eq!(first.body["data"][field], value, "{field}");
    }
    assert!(!first.headers.contains_key("webhook-signature"));
}

#[tokio::test]
async fn a_lost_answer_brings_the_same_delivery_again_under_the_same_key() {
    let app = start("report-call", "REPORT_URL", "").await;
    app.stand_in.fail(Fault::lose_reply().on("/sink").times(3));
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    assert_eq!((deliveries(&app).len(), app.stand_in.sink().distinct_keys()), (4, 1));
}

#[tokio::test]
async fn a_delivery_is_signed_by_the_standard_webhooks_scheme_where_a_secret_is_set() {
    let key = [7; 32];
    let app = start("report-call", "REPORT_URL", &format!("whsec_{}", BASE64_STANDARD.encode(key))).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let delivery = deliveries(&app).remove(0);
    // As its specification says it, and not by the library that signed it.
    let signed = format!(
        "{}.{}.{}",
        delivery.headers["webhook-id"], delivery.headers["webhook-timestamp"], delivery.text
    );
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(signed).finalize().into_bytes();
    assert_eq!(delivery.headers["webhook-signature"], format!("v1,{}", BASE64_STANDARD.encode(mac)));
}

#[tokio::test]
async fn missed_abandoned_and_very_short_calls_are_reviewed() {
    let app = start("review-call", "REVIEW_URL", "").await;
    for (id, status, talk) in [
        ("missed", "missed", json!(null)),
        ("abandoned", "abandoned", json!(null)),
        ("short", "answered", json!(9)),
        ("long", "answered", json!(10)),
        ("unknown", "answered", json!(null)),
        ("voicemail", "voicemail", json!(3)),
    ] {
        let mut event = event(id, id);
        event["status"] = json!(status);
        event["talk_time_seconds"] = talk;
        app.deliver(&event).await;
    }
    app.all_done().await;
    let mut reviewed: Vec<_> = deliveries(&app).into_iter().filter_map(|delivery| delivery.key).collect();
    reviewed.sort();
    assert_eq!(reviewed, ["abandoned:review-call", "missed:review-call", "short:review-call"]);
}

#[tokio::test]
async fn an_event_id_that_no_header_can_carry_loses_no_delivery() {
    let app = start("report-call", "REPORT_URL", "").await;
    app.deliver(&event("evt\r\nX-Injected: 1 \u{1F4DE}", "cl_1")).await;
    app.all_done().await;
    let delivery = deliveries(&app).remove(0);
    assert!(delivery.key.unwrap().starts_with("sha256:"));
    assert_eq!(app.count("select count(*) from receipt").await, 1);
}

#[tokio::test]
async fn a_receiver_or_a_secret_that_is_missing_or_wrong_keeps_the_worker_from_starting() {
    for (settings, says) in [
        (vec![("JOBS", "review-call")], "REVIEW_URL is not set"),
        (vec![("JOBS", "report-call")], "REPORT_URL is not set"),
        (
            vec![("JOBS", "report-call"), ("REPORT_URL", "http://127.0.0.1:1"), ("REPORT_SECRET", "whsec_!")],
            "whsec_",
        ),
    ] {
        Process::refuses("work", &settings, says).await;
    }
}
