//! Whose a ticket is that was made for a call, and what it is made with.

use serde_json::{Value, json};
use stand_in::Fault;

use super::{CLOSED, call, run, start, ticket, with};
use crate::helpers::{App, Process, eventually};

/// The user in whose name the stand-in's client acts, and the one who asked for its closed ticket.
const ACCOUNT: u64 = 29;
const CUSTOMER: u64 = 20_978_392;

fn voicemail(id: &str, from: &str) -> Value {
    let mut call = call(id, json!(null), "voicemail", true);
    call["from"] = json!(from);
    call
}

async fn of_callers() -> App {
    with(&[("ZENDESK_REQUESTER", "caller")]).await
}

/// Who asked for the newest ticket.
fn requester(app: &App) -> Value {
    app.stand_in.zendesk().tickets().last().unwrap().properties["requester_id"].clone()
}

#[tokio::test]
async fn the_account_asks_for_a_ticket_where_nothing_else_is_set() {
    let app = start().await;
    run(&app, &voicemail("1", "+14085550199")).await;
    assert_eq!(requester(&app), ACCOUNT);
    assert!(app.stand_in.zendesk().users().is_empty());
}

#[tokio::test]
async fn a_caller_whom_zendesk_knows_asks_for_his_ticket() {
    let app = of_callers().await;
    // A search for the number finds this one, too.
    app.stand_in.zendesk().add_user("Somebody else", "+3314085550199");
    let known = app.stand_in.zendesk().add_user("Pat Known", "+1 (408) 555-0199");
    app.stand_in.zendesk().add_user("Pat's double", "+14085550199");
    run(&app, &voicemail("1", "+14085550199")).await;
    assert_eq!(requester(&app), known);
    assert_eq!(app.stand_in.zendesk().users().len(), 3);
}

#[tokio::test]
async fn a_caller_whom_nobody_knows_becomes_one_user_whatever_comes_between() {
    let app = of_callers().await;
    app.stand_in.fail(Fault::lose_reply().method("POST").on("/users").times(2));
    for n in 0..6 {
        app.deliver(&voicemail(&n.to_string(), "+14085550199")).await;
    }
    app.all_done().await;
    let users = app.stand_in.zendesk().users();
    assert_eq!(users.len(), 1, "{users:?}");
    assert_eq!(users[0].name, "Caller +1 408-555-0199");
    assert_eq!(users[0].phone.as_deref(), Some("+14085550199"));
    let tickets = app.stand_in.zendesk().tickets();
    let made: Vec<_> = tickets.iter().filter(|ticket| ticket.external_id.is_some()).collect();
    assert_eq!(made.len(), 6);
    assert!(made.iter().all(|ticket| ticket.properties["requester_id"] == users[0].id));
}

#[tokio::test]
async fn a_caller_without_a_number_leaves_the_ticket_to_the_account() {
    let app = of_callers().await;
    run(&app, &voicemail("1", "anonymous")).await;
    assert_eq!(requester(&app), ACCOUNT);
}

#[tokio::test]
async fn a_number_that_zendesk_does_not_take_keeps_no_call_from_its_ticket() {
    let app = of_callers().await;
    app.stand_in.fail(Fault::status(422).method("POST").on("/users"));
    run(&app, &voicemail("1", "+14085550199")).await;
    assert_eq!(requester(&app), ACCOUNT);
}

#[tokio::test]
async fn while_the_client_may_make_no_users_calls_wait_for_a_person() {
    let app = of_callers().await;
    app.stand_in.fail(Fault::status(403).method("POST").on("/users"));
    app.deliver(&voicemail("1", "+14085550199")).await;
    app.leaves_jobs();
    eventually("it is told", async || app.process.log().contains("has the client the scopes users:read"))
        .await;
    assert_eq!(app.count("select count(*) from apalis.jobs where status = 'Killed'").await, 0);
}

#[tokio::test]
async fn a_follow_up_keeps_what_agents_made_of_its_ticket() {
    let app = with(&[("ZENDESK_TICKETS", "answered=tag:ours priority:low")]).await;
    run(&app, &call("1", json!(CLOSED), "answered", true)).await;
    let made = app.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!((made.via_followup_source_id, made.tags.len(), made.priority), (Some(CLOSED), 0, None));
}

#[tokio::test]
async fn a_follow_up_is_asked_for_by_who_asked_for_the_closed_ticket() {
    let app = of_callers().await;
    run(&app, &call("1", json!(CLOSED), "answered", true)).await;
    assert_eq!(requester(&app), CUSTOMER);
    assert!(app.stand_in.zendesk().users().is_empty());
}

#[tokio::test]
async fn queue_and_status_say_the_group_the_tags_and_the_priority() {
    let map = "voicemail=tag:voicemail priority:high group:25,q_23=tag:support group:26,missed=priority:low";
    let app = with(&[("ZENDESK_TICKETS", map), ("TICKET_CREATE_FOR", "voicemail,missed")]).await;
    run(&app, &voicemail("1", "+14085550199")).await;
    let made = app.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!(
        (made.tags, made.priority.as_deref()),
        (vec!["voicemail".into(), "support".into()], Some("high"))
    );
    assert_eq!(made.properties["group_id"], 26);

    let mut elsewhere = call("2", json!(null), "missed", false);
    elsewhere["queue"] = json!({ "id": "q_1" });
    run(&app, &elsewhere).await;
    let made = app.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!((made.tags.len(), made.priority.as_deref()), (0, Some("low")));

    // What agents have sorted stays as it is.
    run(&app, &call("3", json!(super::OPEN), "missed", false)).await;
    assert_eq!(ticket(&app, super::OPEN).priority, None);
}

#[tokio::test]
async fn a_map_that_says_nothing_keeps_the_worker_from_starting() {
    for (map, says) in [
        ("q_23=group:sales", "`group:sales` names no group"),
        ("q_23=priority:asap", "`priority:asap` is no priority: urgent"),
        ("q_23=vip", "`vip` says nothing: write group:25"),
    ] {
        let settings = [
            ("JOBS", "attach-recording"),
            ("ZENDESK_BASE_URL", "http://127.0.0.1:1"),
            ("ZENDESK_CLIENT_ID", "id"),
            ("ZENDESK_CLIENT_SECRET", "secret"),
            ("ZENDESK_TICKETS", map),
        ];
        Process::refuses("work", &settings, says).await;
    }
}
