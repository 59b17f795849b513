//! The task to call back after a missed call.

use serde_json::json;
use stand_in::{Fault, hubspot::Options};

use super::{beside, set_up, with};
use crate::helpers::{App, event};

const FOLLOW_UP: (&str, &str) = ("JOBS", "follow-up");

/// An event of a call that nobody took.
fn missed(event_id: &str, call_id: &str) -> serde_json::Value {
    let mut event = event(event_id, call_id);
    event["status"] = json!("missed");
    event
}

/// What an agent does in HubSpot's own pages.
async fn done_by_an_agent(app: &App, call_id: &str) {
    let input = json!({
        "idProperty": "external_call_id",
        "id": call_id,
        "properties": { "hs_task_status": "COMPLETED" },
    });
    let url = format!("{}/crm/objects/2026-09/tasks/batch/upsert", app.stand_in.url());
    let request = app.http.post(url).bearer_auth(Options::default().token);
    let answer = request.json(&json!({ "inputs": [input] })).send().await.unwrap();
    assert!(answer.status().is_success());
}

#[tokio::test]
async fn a_missed_call_gets_one_task_beside_its_contact_and_one_that_is_done_stays_done() {
    let app = with(&[FOLLOW_UP]).await;
    app.stand_in.fail(Fault::lose_reply().on("/tasks/batch/upsert").times(2));
    app.deliver(&missed("evt_1", "cl_1")).await;
    app.all_done().await;
    let tasks = app.stand_in.hubspot().tasks();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    for (name, value) in [
        ("external_call_id", "cl_1"),
        ("hs_task_subject", "Call back +1 408-555-1234"),
        ("hs_task_body", "<p>Missed inbound call, queue Support</p><p>Callback scheduled</p>"),
        // Four hours after the call's end.
        ("hs_timestamp", "2025-08-21T15:02:44.000Z"),
        ("hs_task_type", "CALL"),
        ("hs_task_status", "NOT_STARTED"),
    ] {
        assert_eq!(tasks[0].properties[name], value);
    }
    assert!(tasks[0].contacts.values().eq(["Dana Whitfield"]));
    assert_eq!(
        app.text("select made || ' ' || external_id from receipt").await,
        format!("task {}", tasks[0].id)
    );

    done_by_an_agent(&app, "cl_1").await;
    let mut later = missed("evt_2", "cl_1");
    later["occurred_at"] = json!("2025-08-21T12:00:00Z");
    app.deliver(&later).await;
    app.all_done().await;
    let tasks = app.stand_in.hubspot().tasks();
    assert_eq!((tasks.len(), tasks[0].properties["hs_task_status"].as_str()), (1, "COMPLETED"));
}

#[tokio::test]
async fn calls_that_were_taken_or_are_our_own_get_none() {
    let app = with(&[FOLLOW_UP]).await;
    let mut outbound = missed("evt_1", "cl_1");
    outbound["direction"] = json!("outbound");
    app.deliver(&outbound).await;
    app.deliver(&event("evt_2", "cl_2")).await;
    app.deliver(&missed("evt_3", "cl_3")).await;
    app.all_done().await;
    let tasks = app.stand_in.hubspot().tasks();
    assert_eq!(
        tasks.iter().map(|task| task.properties["external_call_id"].as_str()).collect::<Vec<_>>(),
        ["cl_3"]
    );
}

#[tokio::test]
async fn without_its_property_it_is_given_up_with_the_command_that_makes_it() {
    let options = Options { without_property: true, ..Options::default() };
    let app = beside(options, &[FOLLOW_UP]).await;
    app.deliver(&missed("evt_1", "cl_1")).await;
    app.all_done().await;
    let reason = app.text("select reason from attempt").await;
    assert!(reason.contains("external_call_id") && reason.contains("aftercall setup"), "{reason}");
    assert_eq!(set_up(&app).await.trim(), "follow-up: external_call_id is made");
    app.deliver(&missed("evt_2", "cl_2")).await;
    app.all_done().await;
    assert_eq!(app.stand_in.hubspot().tasks().len(), 1);
}
