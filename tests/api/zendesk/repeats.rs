//! How a call is recognised on a ticket: once is once, and nothing is taken for a call that it is not.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::zendesk::{self, Edit};

use super::{CLOSED, OPEN, beside, call, recorded_later, run, start, ticket, voices};

/// The call on the open ticket, with this recording.
fn recorded(id: &str, recording: &str) -> Value {
    let mut call = call(id, json!(OPEN), "answered", true);
    call["recording_url"] = json!(recording);
    call
}

#[tokio::test]
async fn a_recording_that_comes_late_reaches_the_ticket_that_has_the_calls_note() {
    let app = start().await;
    let voicemail = call("1", json!(OPEN), "voicemail", false);
    run(&app, &voicemail).await;
    run(&app, &recorded_later(&voicemail)).await;
    let voices = voices(&app, OPEN);
    assert_eq!(voices.len(), 1, "{:?}", ticket(&app, OPEN).comments);
    assert_eq!(voices[0].data.as_ref().unwrap().recording_url, "https://recordings.example/late.mp3");
}

#[tokio::test]
async fn a_ticket_that_only_a_late_older_event_names_gets_the_recording() {
    let app = start().await;
    let mut newer = call("1", json!(null), "answered", true);
    newer["occurred_at"] = json!("2026-11-24T10:00:01Z");
    run(&app, &newer).await;
    assert_eq!(app.text("select reason from attempt").await, "no ticket named");

    let mut older = call("1", json!(OPEN), "answered", true);
    older["event_id"] = json!("evt_older");
    older["occurred_at"] = json!("2026-11-24T10:00:00Z");
    run(&app, &older).await;
    assert_eq!(voices(&app, OPEN).len(), 1);
}

#[tokio::test]
async fn a_recording_that_comes_late_reaches_the_ticket_that_was_made_for_its_call() {
    let app = start().await;
    let before = app.stand_in.zendesk().tickets().len();
    for (id, named) in [("made", json!(null)), ("followed", json!(CLOSED))] {
        let voicemail = call(id, named, "voicemail", false);
        run(&app, &voicemail).await;
        run(&app, &recorded_later(&voicemail)).await;
        let made = app.stand_in.zendesk().tickets().pop().unwrap();
        assert_eq!(made.external_id, Some(format!("cl_{id}")));
        assert_eq!(voices(&app, made.id).len(), 1, "{:?}", made.comments);
    }
    assert_eq!(app.stand_in.zendesk().tickets().len(), before + 2);
}

#[tokio::test]
async fn a_ticket_that_was_made_and_closed_since_is_followed_up_with_the_recording() {
    let app = start().await;
    let voicemail = call("1", json!(null), "voicemail", false);
    run(&app, &voicemail).await;
    let made = app.stand_in.zendesk().tickets().pop().unwrap().id;
    app.stand_in.zendesk().close(made);
    run(&app, &recorded_later(&voicemail)).await;
    let follow_up = app.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!(follow_up.via_followup_source_id, Some(made));
    assert_eq!(voices(&app, follow_up.id).len(), 1);
}

#[tokio::test]
async fn recordings_that_differ_in_their_query_are_two() {
    let app = start().await;
    for id in ["1", "2"] {
        run(&app, &recorded(id, &format!("https://recordings.example/play?id={id}"))).await;
    }
    assert_eq!(voices(&app, OPEN).len(), 2);
}

#[tokio::test]
async fn two_calls_with_one_recording_are_both_on_the_ticket() {
    let app = start().await;
    for id in ["1", "2"] {
        run(&app, &recorded(id, "https://recordings.example/conference.mp3")).await;
    }
    assert_eq!(voices(&app, OPEN).len(), 2);
}

#[tokio::test]
async fn a_recording_that_was_signed_again_is_no_second_comment() {
    let app = start().await;
    for (event_id, signature, minute) in [("a", "X-Amz-Signature=1", 1), ("b", "x-amz-signature=2", 2)] {
        let mut call = recorded("1", &format!("https://recordings.example/play?id=1&{signature}"));
        call["event_id"] = json!(event_id);
        call["occurred_at"] = json!(format!("2025-08-21T11:0{minute}:00Z"));
        run(&app, &call).await;
    }
    assert_eq!(voices(&app, OPEN).len(), 1);
    assert_eq!(app.text("select note from receipt where event_id = 'b'").await, "it was there already");
}

#[tokio::test]
async fn what_people_wrote_is_never_taken_for_a_calls_comment() {
    let app = start().await;
    let mut quoting = call("1", json!(OPEN), "missed", false);
    quoting["notes"] = json!("He asks about [call:cl_2]\n[call:cl_2]");
    quoting["queue"]["name"] = json!("Support\n[call:cl_2]");
    run(&app, &quoting).await;
    app.stand_in.zendesk().edit_as_agent(OPEN, Edit::Comment("As I said in\n[call:cl_2]".to_owned()));
    run(&app, &call("2", json!(OPEN), "missed", false)).await;
    let comments = ticket(&app, OPEN).comments;
    assert!(comments.last().unwrap().body.ends_with("\n[call:cl_2]"), "{comments:?}");
    assert_eq!(comments.len(), 4, "the customer's, both calls' and the agent's: {comments:?}");
}

#[tokio::test]
async fn two_events_of_a_call_within_a_second_make_one_ticket() {
    let lookup_lag = Duration::from_secs(3);
    let app = beside(zendesk::Options { lookup_lag, ..zendesk::Options::default() }, &[]).await;
    let before = app.stand_in.zendesk().tickets().len();
    let voicemail = call("1", json!(null), "voicemail", false);
    run(&app, &voicemail).await;
    run(&app, &recorded_later(&voicemail)).await;
    let tickets = app.stand_in.zendesk().tickets();
    assert_eq!(tickets.len(), before + 1);
    assert_eq!(voices(&app, tickets.last().unwrap().id).len(), 1, "{tickets:?}");
    assert_eq!(app.count("select count(*) from attempt where result = 'given_up'").await, 0);
}

#[tokio::test]
async fn each_recording_that_an_event_of_the_call_names_is_on_the_ticket_in_whatever_order_they_come() {
    for late in [false, true] {
        let app = start().await;
        let mut older = recorded("1", "https://recordings.example/first.mp3");
        older["occurred_at"] = json!("2026-11-24T10:00:00Z");
        let mut newer = recorded("1", "https://recordings.example/second.mp3");
        newer["event_id"] = json!("evt_newer");
        newer["occurred_at"] = json!("2026-11-24T10:00:01Z");
        for event in if late { [&newer, &older, &newer] } else { [&older, &newer, &older] } {
            run(&app, event).await;
        }
        let mut links: Vec<_> =
            voices(&app, OPEN).into_iter().map(|voice| voice.data.unwrap().recording_url).collect();
        links.sort();
        let both = ["https://recordings.example/first.mp3", "https://recordings.example/second.mp3"];
        assert_eq!(links, both, "late: {late}");
    }
}

#[tokio::test]
async fn a_ticket_that_only_an_older_event_names_gets_the_call_in_whatever_order_they_come() {
    for late in [false, true] {
        let app = start().await;
        let mut older = recorded("1", "https://recordings.example/1.mp3");
        older["occurred_at"] = json!("2026-11-24T10:00:00Z");
        let mut newer = call("1", json!(null), "answered", false);
        newer["event_id"] = json!("evt_newer");
        newer["occurred_at"] = json!("2026-11-24T10:00:01Z");
        // No link at all, whatever it begins with.
        newer["recording_url"] = json!("https://[oops");
        for event in if late { [&newer, &older] } else { [&older, &newer] } {
            run(&app, event).await;
        }
        assert_eq!(voices(&app, OPEN).len(), 1, "late: {late}: {:?}", ticket(&app, OPEN).comments);
    }
}
