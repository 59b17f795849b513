//! What goes wrong on request, and the rate limit.

use std::time::{Duration, Instant};

use serde_json::json;
use stand_in::{Fault, RateLimit, hubspot};

use crate::desk::{Desk, OPEN, TICKET, TOKENS, grant, voice_comment};
use crate::{Api, UPSERT, input, refused};

#[tokio::test]
async fn a_status_is_answered_as_often_as_asked_and_does_no_work() {
    let api = Api::start().await;
    api.stand_in.fail(Fault::status(503).times(2));
    for _ in 0..2 {
        refused(&api.upsert("cl_1").await, 503, "INTERNAL_ERROR", "Service Unavailable");
    }
    assert!(api.stand_in.hubspot().calls().is_empty());
    assert_eq!(api.upsert("cl_1").await.0, 200);
}

#[tokio::test]
async fn each_status_comes_with_the_vendors_body() {
    let api = Api::start().await;
    for (status, category) in [
        (400, "VALIDATION_ERROR"),
        (401, "INVALID_AUTHENTICATION"),
        (403, "MISSING_SCOPES"),
        (404, "OBJECT_NOT_FOUND"),
        (409, "CONFLICT"),
        (422, "VALIDATION_ERROR"),
        (423, "INTERNAL_ERROR"),
        (477, "INTERNAL_ERROR"),
        (500, "INTERNAL_ERROR"),
    ] {
        api.stand_in.fail(Fault::status(status));
        refused(&api.upsert("cl_1").await, status, category, "");
    }
    api.stand_in.fail(Fault::status(207));
    let (status, body) = api.upsert("cl_1").await;
    assert_eq!((status, &body["results"], &body["numErrors"]), (207, &json!([]), &json!(1)));
    assert_eq!(body["errors"][0]["category"], "VALIDATION_ERROR");
}

#[tokio::test]
async fn too_many_requests_come_with_retry_after_or_without() {
    let api = Api::start().await;
    for retry_after in [Some(7), None] {
        api.stand_in.fail(Fault::rate_limited(retry_after));
        let response = api.request("GET", "/crm/objects/2026-09/contacts/101").send().await.unwrap();
        assert_eq!(response.status(), 429);
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header, retry_after.map(|seconds| seconds.to_string()));
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!((&body["errorType"], &body["status"]), (&json!("RATE_LIMIT"), &json!("error")));
        assert_eq!(body["policyName"], "TEN_SECONDLY_ROLLING");
    }
}

#[tokio::test]
async fn a_lost_reply_has_done_the_work_and_a_refused_connection_has_not() {
    for (fault, calls) in [(Fault::refuse_connection(), 0), (Fault::lose_reply(), 1)] {
        // Dropped on a fresh connection and on one that has served before.
        for warm in [false, true] {
            let api = Api::start().await;
            if warm {
                api.get("/crm/objects/2026-09/contacts/101").await;
            }
            api.stand_in.fail(fault.clone());
            let error =
                api.send("POST", UPSERT, Some(&json!({ "inputs": [input("cl_1")] }))).await.unwrap_err();
            assert!(error.is_request() && error.status().is_none(), "{error:?}");
            assert_eq!(api.stand_in.hubspot().calls().len(), calls);
            let received = api.stand_in.received();
            assert!(received.last().unwrap().dropped && received.last().unwrap().status.is_none());

            let (_, again) = api.upsert("cl_1").await;
            assert_eq!(again["results"][0]["new"], calls == 0);
            assert_eq!(api.stand_in.hubspot().calls().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_slow_answer_has_served_a_caller_who_gives_up() {
    let api = Api::start().await;
    api.stand_in.fail(Fault::slow(Duration::from_millis(300)));
    let started = Instant::now();
    assert_eq!(api.upsert("cl_1").await.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));

    api.stand_in.fail(Fault::slow(Duration::from_mins(1)));
    let request = api.request("POST", UPSERT).json(&json!({ "inputs": [input("cl_2")] }));
    assert!(request.timeout(Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
    assert_eq!(api.stand_in.hubspot().calls().len(), 2);
    let received = api.stand_in.received();
    assert_eq!((received[1].status, received[1].dropped), (None, false));
}

#[tokio::test]
async fn every_nth_request_fails_until_cleared() {
    let api = Api::start().await;
    api.stand_in.fail(Fault::status(500).every(3));
    assert_eq!(statuses(&api, 7).await, [200, 200, 500, 200, 200, 500, 200]);
    api.stand_in.clear_faults();
    assert_eq!(statuses(&api, 3).await, [200, 200, 200]);
    api.stand_in.fail(Fault::status(500).every(2).times(1));
    assert_eq!(statuses(&api, 4).await, [200, 500, 200, 200]);
}

#[tokio::test]
async fn faults_are_met_in_turn_and_by_the_requests_they_are_for() {
    let api = Api::start().await;
    api.stand_in.fail(Fault::status(500).method("put"));
    api.stand_in.fail(Fault::status(502).on("contacts/search"));
    api.stand_in.fail(Fault::status(503).method("GET").on("contacts/101"));
    api.stand_in.fail(Fault::status(504).endless());
    assert_eq!(statuses(&api, 3).await, [503, 504, 504]);
}

#[tokio::test]
async fn faults_can_be_posted_listed_and_deleted() {
    let api = Api::start().await;
    for fault in [
        json!({ "fail": { "status": 503 }, "times": 2, "method": "GET", "on": "contacts" }),
        json!({ "fail": { "rate_limited": { "retry_after": 1 } } }),
        json!({ "fail": { "rate_limited": {} } }),
        json!({ "fail": { "slow_ms": 1 } }),
        json!({ "fail": "lose_reply" }),
        json!({ "fail": "refuse_connection", "every": 10, "endless": true }),
    ] {
        assert_eq!(api.post("/stand-in/faults", fault.clone()).await.0, 201, "{fault}");
    }
    assert_eq!(statuses(&api, 1).await, [503]);
    let (_, queued) = api.get("/stand-in/faults").await;
    assert_eq!(queued.as_array().unwrap().len(), 6);
    assert_eq!(
        queued[0],
        json!({ "fail": { "status": 503 }, "times": 1, "method": "GET", "on": "contacts",
        "endless": false })
    );

    let deleted = api.request("DELETE", "/stand-in/faults").send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert_eq!(statuses(&api, 1).await, [200]);

    for wrong in ["", "{}", r#"{"fail": "sometimes"}"#, r#"{"fail": "lose_reply", "time": 3}"#] {
        let response = api.request("POST", "/stand-in/faults").body(wrong).send().await.unwrap();
        assert_eq!(response.status(), 400, "{wrong}");
        assert!(response.text().await.unwrap().starts_with("not a fault: "));
    }
}

#[tokio::test]
async fn more_requests_than_the_window_holds_are_refused_until_it_has_moved_on() {
    let limit = RateLimit { requests: 3, window: Duration::from_millis(500) };
    let api = Api::start_as(hubspot::Options { rate_limit: Some(limit), ..Default::default() }).await;
    assert_eq!(statuses(&api, 5).await, [200, 200, 200, 429, 429]);
    tokio::time::sleep(limit.window).await;
    assert_eq!(statuses(&api, 1).await, [200]);
}

#[tokio::test]
async fn at_zendesk_each_status_comes_with_zendesks_body() {
    let desk = Desk::start().await;
    for (status, error) in [
        (401, "invalid_token"),
        (403, "Forbidden"),
        (404, "RecordNotFound"),
        (409, "UpdateConflict"),
        (422, "RecordInvalid"),
    ] {
        desk.stand_in.fail(Fault::status(status).on("/api/v2/tickets"));
        desk.update(json!({ "voice_comment": voice_comment() })).await.refused(status, error, "");
    }
    for status in [429, 500, 503] {
        desk.stand_in.fail(Fault::status(status));
        let answer = desk.update(json!({ "voice_comment": voice_comment() })).await;
        assert_eq!((answer.status, answer.body.is_string()), (status, true));
    }
    for retry_after in [Some(7), None] {
        desk.stand_in.fail(Fault::rate_limited(retry_after));
        let answer = desk.get(TICKET).await;
        assert_eq!((answer.status, answer.header("content-type")), (429, Some("text/plain; charset=utf-8")));
        assert_eq!(answer.header("retry-after"), retry_after.map(|_| "7"));
    }
    assert_eq!(desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len(), 1);

    desk.stand_in.fail(Fault::status(401).on(TOKENS));
    assert_eq!(desk.get(TICKET).await.status, 200);
    desk.post(TOKENS, grant()).await.refused(401, "invalid_client", "");
    desk.stand_in.fail(Fault::status(503).on(TOKENS));
    assert_eq!(desk.post(TOKENS, grant()).await.status, 503);
    assert_eq!(desk.post(TOKENS, grant()).await.status, 200);
}

#[tokio::test]
async fn a_lost_reply_of_zendesk_has_added_the_comment() {
    let desk = Desk::start().await;
    for (fault, comments) in [(Fault::refuse_connection(), 1), (Fault::lose_reply(), 2)] {
        desk.stand_in.fail(fault.method("PUT"));
        let body = json!({ "ticket": { "voice_comment": voice_comment() } });
        assert!(desk.request("PUT", TICKET).json(&body).send().await.is_err());
        assert_eq!(desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len(), comments);
    }
}

/// What so many requests in a row are answered.
async fn statuses(api: &Api, requests: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..requests {
        statuses.push(api.get("/crm/objects/2026-09/contacts/101").await.0);
    }
    statuses
}
