//! What a comment says.

use serde_json::json;

use super::{OPEN, call, run, start, ticket, voices};
use crate::helpers::{App, quoting::Quoting};

#[tokio::test]
async fn a_voice_comment_carries_what_an_agent_wants_to_read() {
    let app = start().await;
    let mut call = call("1", json!(OPEN), "answered", true);
    call["parent_call_id"] = json!("cl_0");
    call["reason"] = json!("no_agent");
    run(&app, &call).await;
    let voice = voices(&app, OPEN).pop().unwrap().data.unwrap();
    assert_eq!(
        voice.transcription_text.unwrap(),
        "Call from +14085551234\nQueue: Support\nAgent: Jordan\nReason: no_agent\nParent call: cl_0\n\
         Notes: Callback scheduled\n[call:cl_1]"
    );
}

#[tokio::test]
async fn notes_of_any_length_fit_and_the_call_is_still_known_by_its_last_line() {
    let app = start().await;
    for (id, recording) in [("missed", false), ("recorded", true)] {
        let mut call = call(id, json!(OPEN), "missed", recording);
        call["notes"] = json!("&".repeat(60_000));
        run(&app, &call).await;
        call["event_id"] = json!(format!("evt_{id}_again"));
        run(&app, &call).await;
    }
    let comments = ticket(&app, OPEN).comments;
    assert_eq!(comments.len(), 3, "the customer's, and one for each call");
    assert!(comments[1].body.ends_with("&…\n[call:cl_missed]"));
    let voice = comments[2].data.as_ref().unwrap().transcription_text.as_ref().unwrap();
    assert!(voice.ends_with("&…\n[call:cl_recorded]"));
}

#[tokio::test]
async fn a_time_with_microseconds_and_a_link_with_spaces_go_out_in_the_vendors_form() {
    let app = start().await;
    let mut call = call("1", json!(OPEN), "answered", true);
    call["started_at"] = json!("2025-08-21T10:58:13.123456Z");
    call["recording_url"] = json!("https://recordings.example/a \"call\".mp3?name=a b");
    run(&app, &call).await;
    let voice = voices(&app, OPEN).pop().unwrap().data.unwrap();
    assert_eq!(voice.started_at, "2025-08-21T10:58:13.123Z");
    assert_eq!(voice.recording_url, "https://recordings.example/a%20%22call%22.mp3?name=a%20b");
}

#[tokio::test]
async fn a_link_of_any_form_goes_out_as_a_uri_and_is_known_again() {
    let app = start().await;
    let mut call = call("1", json!(OPEN), "answered", true);
    call["recording_url"] = json!("https://recordings.example/50%/a|b.mp3?filter[call]={1}%20^");
    run(&app, &call).await;
    call["event_id"] = json!("evt_1_again");
    run(&app, &call).await;
    let voices = voices(&app, OPEN);
    assert_eq!(voices.len(), 1);
    let link = "https://recordings.example/50%25/a%7Cb.mp3?filter%5Bcall%5D=%7B1%7D%20%5E";
    assert_eq!(voices[0].data.as_ref().unwrap().recording_url, link);
}

#[tokio::test]
async fn a_number_that_is_withheld_is_unknown() {
    let app = start().await;
    let mut call = call("1", json!(OPEN), "answered", true);
    (call["from"], call["to"]) = (json!(""), json!(null));
    run(&app, &call).await;
    let voice = voices(&app, OPEN).pop().unwrap().data.unwrap();
    assert_eq!((voice.from.as_str(), voice.to.as_str()), ("unknown", "unknown"));
}

#[tokio::test]
async fn what_zendesk_quotes_of_a_call_is_kept_nowhere() {
    let vendor = Quoting::start().await;
    let settings = [
        ("JOBS", "attach-recording"),
        ("ZENDESK_BASE_URL", vendor.url.as_str()),
        ("ZENDESK_CLIENT_ID", "id"),
        ("ZENDESK_CLIENT_SECRET", "key"),
    ];
    vendor.refuses(&App::receiver(&settings).await, "Zendesk answered 400").await;
}
