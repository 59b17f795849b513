//! What the support ticket holds of a call.

use serde_json::json;
use stand_in::{
    Fault,
    zendesk::{self, Edit},
};

use super::{CLOSED, OPEN, beside, call, run, start, ticket, with};
use crate::helpers::{Process, eventually};

#[tokio::test]
async fn a_call_with_ticket_and_recording_is_one_voice_comment_with_its_url_and_seconds() {
    let app = start().await;
    let before = ticket(&app, OPEN).comments.len();
    run(&app, &call("1", json!(OPEN.to_string()), "answered", true)).await;
    let comments = ticket(&app, OPEN).comments;
    assert_eq!(comments.len(), before + 1);
    let voice = json!(comments.last().unwrap().data.as_ref().unwrap());
    assert_eq!(voice["recording_url"], "https://recordings.example/abc123.mp3");
    assert_eq!(voice["call_duration"], 271);
    assert_eq!((&voice["from"], &voice["to"]), (&json!("+14085551234"), &json!("+14085559876")));
    assert_eq!(
        app.text("select made || ' ' || external_id from receipt").await,
        format!("comment on ticket {OPEN}")
    );
    assert!(app.text("select url from receipt").await.ends_with(&format!("/agent/tickets/{OPEN}")));
}

#[tokio::test]
async fn without_a_recording_an_unanswered_call_is_an_internal_comment() {
    let app = start().await;
    for status in ["missed", "abandoned", "voicemail"] {
        run(&app, &call(status, json!(OPEN), status, false)).await;
        let comments = ticket(&app, OPEN).comments;
        let comment = comments.last().unwrap();
        assert!(!comment.public && comment.data.is_none(), "{comment:?}");
        assert!(comment.body.contains(&format!("[call:cl_{status}]")), "{comment:?}");
        assert!(comment.body.contains("Notes: Callback scheduled"), "{comment:?}");
    }
}

#[tokio::test]
async fn an_answered_call_without_a_recording_is_skipped() {
    let app = start().await;
    run(&app, &call("1", json!(OPEN), "answered", false)).await;
    assert_eq!(app.text("select result || ': ' || reason from attempt").await, "skipped: no recording");
    assert_eq!(app.heard("tickets"), 0);
}

#[tokio::test]
async fn a_voicemail_without_a_ticket_makes_one_and_only_one() {
    let app = start().await;
    let before = app.stand_in.zendesk().tickets().len();
    app.stand_in.fail(Fault::lose_reply().method("POST").on("tickets"));
    run(&app, &call("1", json!(null), "voicemail", true)).await;
    run(&app, &call("1", json!(null), "voicemail", true)).await;
    let tickets = app.stand_in.zendesk().tickets();
    assert_eq!(tickets.len(), before + 1);
    assert_eq!(tickets.last().unwrap().external_id.as_deref(), Some("cl_1"));
    assert_eq!(tickets.last().unwrap().subject, "Voicemail from +14085551234");
}

#[tokio::test]
async fn a_call_that_names_no_ticket_is_skipped_unless_its_status_is_listed() {
    let app = start().await;
    let before = app.stand_in.zendesk().tickets().len();
    for status in ["answered", "missed"] {
        run(&app, &call(status, json!(null), status, true)).await;
    }
    assert_eq!(app.count("select count(*) from attempt where reason = 'no ticket named'").await, 2);
    assert_eq!(app.stand_in.zendesk().tickets().len(), before);

    let never = with(&[("TICKET_CREATE_FOR", "missed")]).await;
    run(&never, &call("1", json!(null), "voicemail", true)).await;
    run(&never, &call("2", json!(null), "missed", false)).await;
    assert_eq!(never.stand_in.zendesk().tickets().len(), before + 1);
}

#[tokio::test]
async fn the_field_that_names_the_ticket_is_a_setting_and_text_that_is_no_number_is_given_up() {
    let app = with(&[("TICKET_FIELD", "case")]).await;
    let mut on_ticket = call("1", json!(null), "answered", true);
    on_ticket["custom_fields"]["case"] = json!(OPEN);
    run(&app, &on_ticket).await;
    assert!(ticket(&app, OPEN).comments.last().unwrap().data.is_some());
    let mut nonsense = call("2", json!(null), "answered", true);
    nonsense["custom_fields"]["case"] = json!("../users/1");
    run(&app, &nonsense).await;
    let reason = app.text("select reason from attempt where result = 'given_up'").await;
    assert_eq!(reason, "the custom field that names the ticket holds no number");
}

#[tokio::test]
async fn a_closed_ticket_is_followed_up_once() {
    let app = start().await;
    let before = app.stand_in.zendesk().tickets().len();
    run(&app, &call("1", json!(CLOSED), "answered", true)).await;
    let tickets = app.stand_in.zendesk().tickets();
    assert_eq!(tickets.len(), before + 1);
    assert_eq!(tickets.last().unwrap().via_followup_source_id, Some(CLOSED));
    assert_eq!(
        app.text("select note from receipt").await,
        format!("ticket {CLOSED} is closed: this follows up on it")
    );
}

#[tokio::test]
async fn an_unknown_ticket_is_given_up_with_zendesks_words() {
    let app = start().await;
    run(&app, &call("1", json!(999_999), "answered", true)).await;
    let reason = app.text("select reason from attempt where result = 'given_up'").await;
    assert!(reason.contains("404") && reason.contains("RecordNotFound"), "{reason}");
}

#[tokio::test]
async fn an_agent_who_edits_the_ticket_meanwhile_loses_nothing() {
    let app = start().await;
    // Between our look and our write: the look at the comments is slow, and the agent is quick.
    app.stand_in.fail(Fault::slow(std::time::Duration::from_secs(1)).on("comments"));
    app.deliver(&call("1", json!(OPEN), "answered", true)).await;
    eventually("we have looked", async || app.heard("comments") == 1).await;
    app.stand_in.zendesk().edit_as_agent(OPEN, Edit::Comment("I am on it".to_owned()));
    app.all_done().await;
    let comments = ticket(&app, OPEN).comments;
    assert!(comments.iter().any(|comment| comment.body.contains("I am on it")));
    assert_eq!(comments.iter().filter(|comment| comment.data.is_some()).count(), 1);
    let conflicts = app.stand_in.received().iter().filter(|request| request.status == Some(409)).count();
    assert_eq!(conflicts, 1, "the first write met a conflict");
}

#[tokio::test]
async fn a_token_that_ended_is_renewed_without_a_failure() {
    let app = start().await;
    run(&app, &call("1", json!(OPEN), "answered", true)).await;
    app.stand_in.zendesk().revoke_tokens();
    run(&app, &call("2", json!(CLOSED), "answered", true)).await;
    assert_eq!(app.heard("oauth"), 2);
    assert_eq!(app.count("select count(*) from attempt").await, 2);
    assert_eq!(app.count("select count(*) from attempt where result = 'done'").await, 2);
}

#[tokio::test]
async fn an_answer_that_changed_nothing_is_a_failure() {
    let app = start().await;
    // As an old proxy that answers for the vendor.
    app.stand_in.fail(Fault::status(200).method("PUT"));
    run(&app, &call("1", json!(OPEN), "answered", true)).await;
    assert!(ticket(&app, OPEN).comments.iter().filter(|comment| comment.data.is_some()).count() <= 1);
    assert!(app.count("select count(*) from attempt where result in ('retry', 'given_up')").await >= 1);
}

#[tokio::test]
async fn ten_deliveries_of_a_call_over_every_second_reply_lost_are_one_comment_and_a_voicemail_one_ticket() {
    let app = with(&[("JOB_RETRY_MAX", "1s")]).await;
    let tickets = app.stand_in.zendesk().tickets().len();
    app.stand_in.fail(Fault::lose_reply().every(2));
    for id in 0..10 {
        // Processed ten times: each delivery under its own key.
        let mut call = call("1", json!(OPEN), "answered", true);
        call["event_id"] = json!(format!("evt_{id}"));
        app.deliver(&call).await;
    }
    app.deliver(&call("voicemail", json!(null), "voicemail", true)).await;
    app.all_done().await;
    assert_eq!(ticket(&app, OPEN).comments.iter().filter(|comment| comment.data.is_some()).count(), 1);
    assert_eq!(app.stand_in.zendesk().tickets().len(), tickets + 1, "one ticket for the voicemail");
}

#[tokio::test]
async fn half_a_configuration_keeps_the_worker_from_starting() {
    let settings = [
        ("JOBS", "attach-recording"),
        ("ZENDESK_BASE_URL", "https://acme.zendesk.com"),
        ("ZENDESK_CLIENT_ID", "aftercall"),
    ];
    Process::refuses("work", &settings, "ZENDESK_CLIENT_SECRET is not set").await;
}

#[tokio::test]
async fn a_ticket_that_takes_no_more_comments_has_its_call_given_up_and_no_other_made() {
    let full = zendesk::Options { comment_limit: 1, ..zendesk::Options::default() };
    let app = beside(full, &[]).await;
    let before = app.stand_in.zendesk().tickets().len();
    run(&app, &call("1", json!(OPEN), "answered", true)).await;
    let reason = app.text("select reason from attempt where result = 'given_up'").await;
    assert_eq!(reason, "Zendesk answered 422 RecordInvalid comment");
    assert_eq!((ticket(&app, OPEN).comments.len(), app.stand_in.zendesk().tickets().len()), (1, before));
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_found_where_the_ticket_takes_no_second_one() {
    let almost_full = zendesk::Options { comment_limit: 2, ..zendesk::Options::default() };
    let app = beside(almost_full, &[]).await;
    app.stand_in.fail(Fault::lose_reply().method("PUT"));
    run(&app, &call("1", json!(OPEN), "answered", true)).await;
    assert_eq!(ticket(&app, OPEN).comments.len(), 2, "the customer's, and the call's");
    assert_eq!(app.text("select note from receipt").await, "it was there already");
    assert_eq!(app.count("select count(*) from attempt").await, 1);
}
