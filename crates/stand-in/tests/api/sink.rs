//! The sink for webhooks.

use serde_json::json;
use stand_in::Fault;

use crate::Api;

#[tokio::test]
async fn a_delivery_is_remembered_with_what_tells_it_apart() {
    let api = Api::start().await;
    let text = r#"{ "call_id": "cl_1",  "talk_seconds": 3 }"#;
    let response = api
        .request("POST", "/sink/reviews/1?quick")
        .header("Content-Type", "application/json; charset=utf-8")
        .header("Idempotency-Key", "evt_1")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", "1755773893")
        .header("webhook-signature", "v1,c2lnbmF0dXJl")
        .body(text)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);

    let deliveries = api.stand_in.sink().deliveries();
    let delivery = &deliveries[0];
    assert_eq!((deliveries.len(), &*delivery.path), (1, "/sink/reviews/1"));
    assert_eq!(delivery.key.as_deref(), Some("evt_1"));
    assert_eq!(delivery.body, json!({ "call_id": "cl_1", "talk_seconds": 3 }));
    assert_eq!(delivery.text, text);
    // The bearer token is in none of them.
    let headers: Vec<(&str, &str)> =
        delivery.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        headers,
        [
            ("content-type", "application/json; charset=utf-8"),
            ("idempotency-key", "evt_1"),
            ("webhook-id", "msg_1"),
            ("webhook-signature", "v1,c2lnbmF0dXJl"),
            ("webhook-timestamp", "1755773893"),
        ]
    );
}

#[tokio::test]
async fn deliveries_made_twice_are_two_with_one_key() {
    let api = Api::start().await;
    for key in [Some("evt_1"), Some("evt_2"), Some("evt_1"), None] {
        let mut delivery = api.request("POST", "/sink/reports").json(&json!({ "key": key }));
        if let Some(key) = key {
            delivery = delivery.header("Idempotency-Key", key);
        }
        assert_eq!(delivery.send().await.unwrap().status(), 200);
    }
    let sink = api.stand_in.sink();
    assert_eq!((sink.deliveries().len(), sink.distinct_keys()), (4, 2));

    let (_, shown) = api.get("/stand-in/sink").await;
    assert_eq!(shown["distinct_keys"], 2);
    let keys: Vec<_> =
        shown["deliveries"].as_array().unwrap().iter().map(|one| &one["body"]["key"]).collect();
    assert_eq!(keys, [&json!("evt_1"), &json!("evt_2"), &json!("evt_1"), &json!(null)]);
}

#[tokio::test]
async fn what_is_no_json_is_refused_and_needs_no_token_to_be() {
    let api = Api::start().await;
    let url = api.stand_in.url() + "/sink/reports";
    let response = api.client.post(&url).body("call=cl_1").send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().starts_with("not JSON: "));
    assert_eq!(api.client.get(&url).send().await.unwrap().status(), 405);
    assert_eq!(api.client.post(&url).body("[]").send().await.unwrap().status(), 200);
    assert_eq!(api.stand_in.sink().deliveries().len(), 1);
}

#[tokio::test]
async fn the_sink_fails_as_the_vendors_do_with_nothing_but_words() {
    let api = Api::start().await;
    let url = api.stand_in.url() + "/sink/reports";
    let deliver = || api.client.post(&url).json(&json!({ "call_id": "cl_1" })).send();
    api.stand_in.fail(Fault::status(503).on("/sink/reports"));
    api.stand_in.fail(Fault::rate_limited(Some(7)).on("/sink/"));
    api.stand_in.fail(Fault::lose_reply().on("/sink/"));

    let failed = deliver().await.unwrap();
    assert_eq!((failed.status().as_u16(), &*failed.text().await.unwrap()), (503, "Service Unavailable"));
    let limited = deliver().await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    assert!(api.stand_in.sink().deliveries().is_empty());
    assert!(deliver().await.is_err());
    assert_eq!(api.stand_in.sink().deliveries().len(), 1);
    assert_eq!(deliver().await.unwrap().status(), 200);

    let statuses: Vec<_> = api.stand_in.received().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(503), Some(429), None, Some(200)]);
}
