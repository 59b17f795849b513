//! Reading, finding, changing and creating tickets.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stand_in::RateLimit;
use stand_in::zendesk::{self, Edit, Status};

use crate::desk::{Answer, CLOSED, Desk, OPEN, TICKET, TICKETS};

#[tokio::test]
async fn a_ticket_is_read_with_json_at_the_end_of_its_path_and_without() {
    let desk = Desk::start().await;
    for path in [TICKET, "/api/v2/tickets/35436"] {
        let read = desk.get(path).await;
        let ticket = &read.body["ticket"];
        assert_eq!((read.status, &ticket["id"], &ticket["status"]), (200, &json!(OPEN), &json!("open")));
        assert_eq!(ticket["url"], desk.stand_in.url() + TICKET);
        assert_eq!(ticket["description"], "My printer is on fire.");
        assert_eq!((&ticket["external_id"], &ticket["tags"]), (&Value::Null, &json!([])));
        // In whole seconds.
        assert_eq!(ticket["updated_at"].as_str().unwrap().len(), "2025-08-21T10:58:13Z".len());
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let desk = Desk::start().await;
    desk.get("/api/v2/tickets/1.json").await.refused(404, "RecordNotFound", "Not found");
    desk.get("/api/v2/tickets/1/comments.json").await.refused(404, "RecordNotFound", "Not found");
    desk.get("/api/v2/tickets/cl_1.json").await.wrong_type("id must be an integer");
    let update = desk.request("PUT", "/api/v2/tickets/1.json").json(&json!({ "ticket": {} }));
    desk.send(update).await.refused(404, "RecordNotFound", "Not found");
    for (method, path) in [("GET", "/api/v2/users.json"), ("DELETE", TICKETS), ("PATCH", TICKETS)] {
        desk.send(desk.request(method, path)).await.refused(404, "InvalidEndpoint", "Not found");
    }
}

#[tokio::test]
async fn a_request_that_does_not_accept_json_is_refused() {
    let desk = Desk::start().await;
    for path in [TICKET, "/oauth/tokens"] {
        let request = desk.request("GET", path).header("Accept", "*/*");
        assert_eq!(desk.send(request).await.status, 406);
    }
}

#[tokio::test]
async fn a_ticket_that_is_deleted_is_not_found() {
    let desk = Desk::start().await;
    assert_eq!(desk.send(desk.request("DELETE", TICKET)).await.status, 204);
    desk.get(TICKET).await.refused(404, "RecordNotFound", "Not found");
    desk.send(desk.request("DELETE", TICKET)).await.refused(404, "RecordNotFound", "Not found");
}

#[tokio::test]
async fn tickets_are_found_by_their_external_id() {
    let desk = Desk::start().await;
    let ticket = json!({ "ticket": { "external_id": "cl/1 &2", "comment": { "body": "A call" } } });
    for _ in 0..2 {
        assert_eq!(desk.post(TICKETS, ticket.clone()).await.status, 201);
    }
    for (path, found) in [
        ("/api/v2/tickets?external_id=cl%2F1%20%262", 2),
        ("/api/v2/tickets.json?external_id=cl%2F1+%262", 2),
        ("/api/v2/tickets?external_id=cl", 0),
        ("/api/v2/tickets", 5),
    ] {
        let list = desk.get(path).await;
        assert_eq!((list.status, &list.body["count"]), (200, &json!(found)), "{path}");
        assert_eq!(list.body["tickets"].as_array().unwrap().len(), found);
        assert_eq!(list.body["next_page"], Value::Null);
    }
    let first = desk.get("/api/v2/tickets?external_id=cl%2F1%20%262&page[size]=1").await;
    assert_eq!(first.body["meta"]["has_more"], true);
    let second = desk.get(first.body["links"]["next"].as_str().unwrap()).await;
    assert_eq!(second.body["meta"]["has_more"], false);
    assert_eq!(second.body["tickets"][0]["external_id"], "cl/1 &2");
    assert_ne!(second.body["tickets"][0]["id"], first.body["tickets"][0]["id"]);
}

#[tokio::test]
async fn a_body_without_ticket_changes_nothing_and_is_answered_as_if_it_had() {
    let desk = Desk::start().await;
    let before = desk.get(TICKET).await.body;
    let comment = json!({ "comment": { "body": "A call" } });
    let as_text = desk.request("PUT", TICKET).body(json!({ "ticket": comment }).to_string());
    for request in [
        desk.request("PUT", TICKET).json(&comment),
        desk.request("PUT", TICKET).json(&json!({ "ticket": {} })),
        desk.request("PUT", TICKET).json(&json!({ "ticket": { "status": "open" } })),
        desk.request("PUT", TICKET).json(&json!([])),
        desk.request("PUT", TICKET),
        as_text,
    ] {
        let answer = desk.send(request).await;
        assert_eq!((answer.status, answer.events().len()), (200, 0));
        assert_eq!(answer.body["ticket"], before["ticket"]);
    }
    assert_eq!(desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len(), 1);
    let broken = desk.request("PUT", TICKET).body("{").header("Content-Type", "application/json");
    let broken = desk.send(broken).await;
    assert_eq!((broken.status, broken.body.is_string()), (400, true));
}

#[tokio::test]
async fn each_change_is_in_the_audit_and_moves_the_time_of_the_update() {
    let desk = Desk::start().await;
    let mut last = updated_at(&desk.get(TICKET).await);
    for (change, field, old, new) in [
        (json!({ "subject": "Renamed" }), "subject", json!("My printer is on fire"), json!("Renamed")),
        (json!({ "status": "pending" }), "status", json!("open"), json!("pending")),
        (json!({ "priority": "high" }), "priority", Value::Null, json!("high")),
        (json!({ "external_id": "cl_1" }), "external_id", Value::Null, json!("cl_1")),
        (json!({ "tags": ["call"] }), "tags", json!([]), json!(["call"])),
        (json!({ "assignee_id": 29 }), "assignee_id", json!("28"), json!("29")),
        (json!({ "group_id": 7 }), "group_id", Value::Null, json!("7")),
    ] {
        let answer = desk.update(change.clone()).await;
        assert_eq!((answer.status, answer.events()), (200, vec!["Change"]), "{change}");
        let event = &answer.body["audit"]["events"][0];
        assert_eq!(
            (&event["field_name"], &event["previous_value"], &event["value"]),
            (&json!(field), &old, &new)
        );
        assert_eq!(answer.body["ticket"][field], change[field]);
        assert_eq!(desk.get(TICKET).await.body["ticket"], answer.body["ticket"]);
        assert!(updated_at(&answer) > last, "{change}");
        last = updated_at(&answer);
    }
}

#[tokio::test]
async fn a_safe_update_is_refused_when_the_ticket_has_changed_meanwhile() {
    let desk = Desk::start().await;
    for edit in
        [Edit::Comment("Called back".into()), Edit::Status(Status::Hold), Edit::Subject("Fire".into())]
    {
        let stamp = desk.get(TICKET).await.body["ticket"]["updated_at"].clone();
        // At once: two changes within a second are still two.
        desk.stand_in.zendesk().edit_as_agent(OPEN, edit);
        let safely = |stamp: &Value| json!({ "safe_update": true, "updated_stamp": stamp, "comment": { "body": "A call" } });
        let comments = desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len();
        desk.update(safely(&stamp)).await.refused(409, "UpdateConflict", "outdated");
        assert_eq!(desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len(), comments);

        let stamp = desk.get(TICKET).await.body["ticket"]["updated_at"].clone();
        let answer = desk.update(safely(&stamp)).await;
        assert_eq!((answer.status, answer.events()), (200, vec!["Comment"]));
        desk.update(safely(&stamp)).await.refused(409, "UpdateConflict", "outdated");
    }
    let later = (Utc::now() + TimeDelta::days(1)).to_rfc3339();
    let in_time = json!({ "safe_update": true, "updated_stamp": later, "priority": "low" });
    assert_eq!(desk.update(in_time).await.status, 200);
    let outdated =
        json!({ "safe_update": false, "updated_stamp": "2001-01-01T00:00:00Z", "priority": "high" });
    // "A value of false has the same effect as true" (tickets reference).
    desk.update(outdated).await.refused(409, "UpdateConflict", "outdated");
    // Not asked for: the stamp is not looked at.
    let unsafely = json!({ "updated_stamp": "2001-01-01T00:00:00Z", "priority": "high" });
    assert_eq!(desk.update(unsafely).await.status, 200);
    let with = |stamp: &Value| json!({ "safe_update": true, "updated_stamp": stamp, "priority": "urgent" });
    desk.update(with(&json!(1))).await.wrong_type("updated_stamp must be a string");
    desk.update(with(&json!("yesterday"))).await.refused(422, "RecordInvalid", "updated_stamp");
    let without = desk.update(json!({ "safe_update": true, "priority": "urgent" })).await;
    without.refused(422, "RecordInvalid", "updated_stamp is missing");
}

#[tokio::test]
async fn a_closed_ticket_takes_no_update() {
    let desk = Desk::start().await;
    let comment = json!({ "comment": { "body": "A call" } });
    desk.stand_in.zendesk().close(OPEN);
    let answer = desk.update(comment.clone()).await;
    answer.refused(422, "RecordInvalid", "Record validation errors");
    let details = json!({ "status": [{
        "description": "Status: closed prevents ticket update", "error": "InvalidValue",
    }] });
    assert_eq!(answer.body["details"], details);
    assert_eq!(desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len(), 1);

    let solved = desk.stand_in.zendesk().add_ticket(Status::Solved);
    let path = format!("/api/v2/tickets/{solved}.json");
    let answer = desk.send(desk.request("PUT", &path).json(&json!({ "ticket": comment }))).await;
    assert_eq!((answer.status, &answer.body["ticket"]["status"]), (200, &json!("solved")));
}

#[tokio::test]
async fn what_is_wrong_with_a_ticket_is_refused_and_changes_nothing() {
    let desk = Desk::start().await;
    let before = desk.get(TICKET).await.body;
    for (wrong, word) in [
        (json!({ "subject": 1 }), "ticket.subject must be a string"),
        (json!({ "external_id": 1 }), "ticket.external_id must be a string"),
        (json!({ "tags": "call" }), "ticket.tags must be an array"),
        (json!({ "tags": [1] }), "ticket.tags.0 must be a string"),
        (json!({ "requester_id": "28" }), "ticket.requester_id must be an integer"),
        (json!({ "comment": "A call" }), "ticket.comment must be a hash"),
        (json!({ "voice_comment": [] }), "ticket.voice_comment must be a hash"),
        (json!("A call"), "ticket must be a hash"),
        (json!({ "Subject": "Renamed" }), "ticket.Subject is unknown"),
        (json!({ "comment": { "Body": "A call" } }), "ticket.comment.Body is unknown"),
        (json!({ "comment": { "body": "A call", "pubic": false } }), "ticket.comment.pubic is unknown"),
        (json!({ "via_followup_source_id": 35_400 }), "ticket.via_followup_source_id is unknown here"),
    ] {
        desk.update(wrong).await.wrong_type(word);
    }
    for (field, value) in [
        ("status", json!("done")),
        ("status", Value::Null),
        ("priority", json!("highest")),
        ("subject", json!("a".repeat(256))),
        ("external_id", json!("a".repeat(256))),
        ("tags", json!(["two words"])),
    ] {
        let wrong = json!({ field: value, "comment": { "body": "A call" } });
        desk.update(wrong).await.refused(422, "RecordInvalid", field);
    }
    let blank = desk.update(json!({ "comment": { "body": "" } })).await;
    blank.refused(422, "RecordInvalid", "ticket.comment.body is shorter than 1");
    assert_eq!(desk.get(TICKET).await.body, before);
}

#[tokio::test]
async fn a_ticket_is_created_with_a_first_comment() {
    let desk = Desk::start().await;
    let created = desk
        .post(
            "/api/v2/tickets",
            json!({ "ticket": { "subject": "Voicemail", "external_id": "cl_1", "priority": "high",
                "tags": ["voicemail"], "comment": { "body": "Call me", "public": false } } }),
        )
        .await;
    let ticket = &created.body["ticket"];
    assert_eq!((created.status, &ticket["status"]), (201, &json!("new")));
    assert_eq!((&ticket["subject"], &ticket["external_id"]), (&json!("Voicemail"), &json!("cl_1")));
    assert_eq!((&ticket["description"], &ticket["is_public"]), (&json!("Call me"), &json!(false)));
    assert_eq!((&ticket["priority"], &ticket["tags"]), (&json!("high"), &json!(["voicemail"])));
    assert_eq!(ticket["requester_id"], 29);
    assert_eq!(created.header("location"), ticket["url"].as_str());
    assert_eq!(created.header("x-idempotency-lookup"), None);
    assert_eq!(created.events()[..2], ["Comment", "Create"]);
    assert_eq!(desk.get(created.header("location").unwrap()).await.body["ticket"], *ticket);

    let tickets = desk.stand_in.zendesk().tickets();
    let ticket = tickets.last().unwrap();
    assert_eq!((tickets.len(), ticket.id), (4, OPEN + 1));
    assert_eq!((&*ticket.subject, ticket.status), ("Voicemail", Status::New));
    assert_eq!((ticket.external_id.as_deref(), ticket.via_followup_source_id), (Some("cl_1"), None));

    let safe = json!({ "ticket": { "safe_update": true, "updated_stamp": "2025-08-21T10:58:13Z",
        "comment": { "body": "Call me" } } });
    desk.post(TICKETS, safe).await.wrong_type("ticket.safe_update is unknown here");
    for nothing in [json!({}), json!({ "ticket": {} }), json!({ "ticket": { "subject": "A call" } })] {
        desk.post(TICKETS, nothing).await.refused(422, "RecordInvalid", "Description: cannot be blank");
    }
    assert_eq!(desk.stand_in.zendesk().tickets().len(), 4);
}

#[tokio::test]
async fn a_closed_ticket_is_followed_up_and_no_other() {
    let desk = Desk::start().await;
    let follow_up = |source: u64| json!({ "ticket": { "via_followup_source_id": source, "comment": { "body": "A call" } } });
    let created = desk.post(TICKETS, follow_up(CLOSED)).await;
    let (id, via) = (&created.body["ticket"]["id"], &created.body["ticket"]["via"]);
    assert_eq!((created.status, &via["source"]["rel"]), (201, &json!("follow_up")));
    assert_eq!(via["source"]["from"]["ticket_id"], CLOSED);
    let source = desk.get("/api/v2/tickets/35400").await;
    assert_eq!(source.body["ticket"]["followup_ids"], json!([id]));
    let ticket = desk.stand_in.zendesk().ticket(id.as_u64().unwrap()).unwrap();
    assert_eq!(ticket.via_followup_source_id, Some(CLOSED));

    for source in [OPEN, 35_420, 1] {
        desk.post(TICKETS, follow_up(source)).await.refused(422, "RecordInvalid", "not closed");
    }
    assert_eq!(desk.stand_in.zendesk().tickets().len(), 4);
}

#[tokio::test]
async fn a_follow_up_has_the_tags_of_its_source_or_its_own() {
    let desk = Desk::start().await;
    desk.update(json!({ "tags": ["printer"], "status": "closed" })).await;
    for (own, tags) in [(None, json!(["printer"])), (Some(json!(["call"])), json!(["call"]))] {
        let mut ticket = json!({ "via_followup_source_id": OPEN, "comment": { "body": "A call" } });
        if let Some(own) = own {
            ticket["tags"] = own;
        }
        assert_eq!(desk.post(TICKETS, json!({ "ticket": ticket })).await.body["ticket"]["tags"], tags);
    }
}

#[tokio::test]
async fn more_updates_than_the_limit_are_refused_until_there_is_a_place() {
    let limit = RateLimit { requests: 2, window: Duration::from_millis(1500) };
    let desk = Desk::start_with(zendesk::Options { update_limit: Some(limit), ..Default::default() }).await;
    for _ in 0..2 {
        assert_eq!(desk.update(json!({})).await.status, 200);
    }
    let refused = desk.update(json!({})).await;
    assert_eq!((refused.status, refused.header("content-type")), (429, Some("text/plain; charset=utf-8")));
    let seconds = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    assert_eq!(desk.get(TICKET).await.status, 200);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    assert_eq!(desk.update(json!({})).await.status, 200);
}

#[tokio::test]
async fn a_ticket_takes_30_updates_in_10_minutes_and_the_refusal_says_that_it_is_this_tickets() {
    let desk = Desk::start().await;
    for _ in 0..30 {
        assert_eq!(desk.update(json!({})).await.status, 200);
    }
    let refused = desk.update(json!({})).await;
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(refused.status == 429 && (500..=600).contains(&seconds), "{refused:?}");
    let usage = format!("total=30; remaining=0; resets={seconds}");
    assert_eq!(refused.header("zendesk-ratelimit-tickets-update"), Some(&*usage));
    assert_eq!(desk.send(desk.request("PUT", "/api/v2/tickets/35420").json(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_new_ticket_is_not_found_by_its_external_id_within_the_lag() {
    let lookup_lag = Duration::from_mins(10);
    let desk = Desk::start_with(zendesk::Options { lookup_lag, ..Default::default() }).await;
    let ticket = json!({ "ticket": { "external_id": "cl_1", "comment": { "body": "A call" } } });
    let made = desk.post(TICKETS, ticket).await.body["ticket"]["id"].clone();
    assert_eq!(desk.get("/api/v2/tickets?external_id=cl_1").await.body["count"], 0);
    assert_eq!(desk.get(&format!("/api/v2/tickets/{made}")).await.status, 200);
    assert_eq!(desk.get(TICKETS).await.body["count"], 4);
}

#[tokio::test]
#[should_panic(expected = "RecordNotFound")]
async fn an_agent_cannot_edit_a_ticket_that_is_not_there() {
    Desk::start().await.stand_in.zendesk().close(1);
}

fn updated_at(answer: &Answer) -> DateTime<Utc> {
    answer.body["ticket"]["updated_at"].as_str().unwrap().parse().unwrap()
}
