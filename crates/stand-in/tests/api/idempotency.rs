//! Creating a ticket under a key.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::zendesk;

use crate::desk::{Desk, TICKETS, voice_comment};

#[tokio::test]
async fn the_same_request_under_the_same_key_creates_one_ticket() {
    let desk = Desk::start().await;
    let first = desk.create("evt_1", &ticket("cl_1")).await;
    assert_eq!((first.status, first.header("x-idempotency-lookup")), (201, Some("miss")));
    // The first answer, not the ticket as it is now.
    let id = first.body["ticket"]["id"].as_u64().unwrap();
    desk.stand_in.zendesk().close(id);
    let second = desk.create("evt_1", &ticket("cl_1")).await;
    assert_eq!((second.status, second.header("x-idempotency-lookup")), (201, Some("hit")));
    assert_eq!((&second.body, second.header("location")), (&first.body, first.header("location")));
    assert_eq!(desk.stand_in.zendesk().tickets().len(), 4);

    let another = desk.create("evt_2", &ticket("cl_1")).await;
    assert_eq!((another.status, another.header("x-idempotency-lookup")), (201, Some("miss")));
    assert_eq!(desk.post(TICKETS, ticket("cl_1")).await.status, 201);
    assert_eq!(desk.stand_in.zendesk().tickets().len(), 6);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let desk = Desk::start().await;
    desk.create("evt_1", &ticket("cl_1")).await;
    let answer = desk.create("evt_1", &ticket("cl_2")).await;
    answer.refused(400, "IdempotentRequestError", "don't match the given idempotency key");
    assert_eq!(desk.stand_in.zendesk().tickets().len(), 4);
}

#[tokio::test]
async fn a_request_that_was_refused_leaves_its_key_free() {
    let desk = Desk::start().await;
    assert_eq!(desk.create("evt_1", &json!({ "ticket": {} })).await.status, 422);
    let created = desk.create("evt_1", &ticket("cl_1")).await;
    assert_eq!((created.status, created.header("x-idempotency-lookup")), (201, Some("miss")));
}

#[tokio::test]
async fn a_key_is_forgotten_in_time() {
    let key_lifetime = Duration::from_millis(300);
    let desk = Desk::start_with(zendesk::Options { key_lifetime, ..Default::default() }).await;
    desk.create("evt_1", &ticket("cl_1")).await;
    tokio::time::sleep(key_lifetime).await;
    let again = desk.create("evt_1", &ticket("cl_2")).await;
    assert_eq!((again.status, again.header("x-idempotency-lookup")), (201, Some("miss")));
    assert_eq!(desk.stand_in.zendesk().tickets().len(), 5);
}

fn ticket(external_id: &str) -> Value {
    json!({ "ticket": { "subject": "Voicemail", "external_id": external_id, "voice_comment": voice_comment() } })
}
