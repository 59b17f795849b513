//! What HubSpot holds of a call.

use serde_json::{Value, json};
use stand_in::{Fault, hubspot::Options};

use super::{start, the_call, with};
use crate::helpers::{CURL_SAMPLE, Process, SAMPLE, event, eventually};

#[tokio::test]
async fn the_sample_becomes_one_call_with_every_property_in_the_vendors_form() {
    let app =
        with(&[("HUBSPOT_OWNERS", "ag_102=777"), ("HUBSPOT_PROPERTIES", "priority=call_priority")]).await;
    let property = json!({ "groupName": "call", "name": "call_priority", "label": "Priority", "type": "string", "fieldType": "text" });
    let path = format!("{}/crm/properties/2026-09/calls", app.stand_in.url());
    let made =
        app.http.post(path).bearer_auth(Options::default().token).json(&property).send().await.unwrap();
    assert!(made.status().is_success());

    app.deliver(&serde_json::from_str(SAMPLE).unwrap()).await;
    app.all_done().await;
    let call = the_call(&app);
    assert_eq!(
        json!(call.properties),
        json!({
            "external_call_id": "cl_8fKQ92", "hs_timestamp": "2025-08-21T10:58:13.000Z", "hs_call_title": "Inbound call",
            "hs_call_direction": "INBOUND", "hs_call_status": "COMPLETED",
            "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7", "hs_call_duration": "271000",
            "hs_call_from_number": "+14085551234", "hs_call_to_number": "+14085559876",
            "hs_call_recording_url": "https://recordings.example/abc123.mp3",
            "hs_call_body": "<p>Callback scheduled</p><ul><li>Queue: Support</li><li>Agent: Jordan</li>\
                             <li>Talk time: 251 s</li><li>Wrap-up: 20 s</li></ul>",
            "hubspot_owner_id": "777", "call_priority": "high",
        })
    );
    assert_eq!(call.contacts.into_values().collect::<Vec<_>>(), ["Dana Whitfield"]);
}

#[tokio::test]
async fn each_status_has_its_outcome_in_the_crm() {
    let app = start().await;
    for (status, direction, title, outcome, disposition) in [
        (
            "answered",
            "outbound",
            "Outbound call",
            json!("COMPLETED"),
            json!("f240bbac-87c9-4f6e-bf70-924b57d47db7"),
        ),
        (
            "missed",
            "inbound",
            "Missed inbound call",
            json!("NO_ANSWER"),
            json!("73a0d17f-1163-4015-bdd5-ec830791da20"),
        ),
        ("abandoned", "inbound", "Abandoned inbound call", json!("CANCELED"), json!(null)),
        (
            "voicemail",
            "inbound",
            "Voicemail",
            json!("NO_ANSWER"),
            json!("b2cf5968-551e-4856-9783-52b3da59a7d0"),
        ),
        ("parked", "sideways", "Call", json!(null), json!(null)),
    ] {
        let mut event = event(&format!("evt_{status}"), &format!("cl_{status}"));
        event["status"] = json!(status);
        event["direction"] = json!(direction);
        app.deliver(&event).await;
        app.all_done().await;
        let calls = app.stand_in.hubspot().calls();
        let call =
            calls.iter().find(|call| call.properties["external_call_id"] == format!("cl_{status}")).unwrap();
        let properties = json!(call.properties);
        assert_eq!(properties["hs_call_title"], title);
        assert_eq!(properties["hs_call_status"], outcome, "{status}");
        assert_eq!(properties["hs_call_disposition"], disposition, "{status}");
    }
}

#[tokio::test]
async fn what_a_status_is_in_the_crm_can_be_set() {
    let busy = "9d9162e7-6cf3-4944-bf63-4dff82258764";
    let set = format!("abandoned=NO_ANSWER:{busy},busy=BUSY");
    let app = with(&[("HUBSPOT_OUTCOMES", &set)]).await;
    for status in ["abandoned", "busy", "answered"] {
        let mut event = event(status, status);
        event["status"] = json!(status);
        app.deliver(&event).await;
    }
    app.all_done().await;
    for (call, status, outcome) in [
        ("abandoned", "NO_ANSWER", Some(busy)),
        ("busy", "BUSY", None),
        ("answered", "COMPLETED", Some("f240bbac-87c9-4f6e-bf70-924b57d47db7")),
    ] {
        let calls = app.stand_in.hubspot().calls();
        let call = calls.iter().find(|known| known.properties["external_call_id"] == call).unwrap();
        assert_eq!(call.properties["hs_call_status"], status);
        assert_eq!(call.properties.get("hs_call_disposition").map(String::as_str), outcome);
    }
}

#[tokio::test]
async fn an_outcome_that_is_none_of_hubspots_keeps_the_worker_from_starting() {
    for (set, says) in [
        ("busy=ENGAGED", "`ENGAGED` begins with no call status: BUSY, "),
        ("busy=BUSY:busy", "`BUSY:busy` ends with no id of an outcome"),
    ] {
        let settings = [("JOBS", "update-crm"), ("HUBSPOT_TOKEN", "key"), ("HUBSPOT_OUTCOMES", set)];
        Process::refuses("work", &settings, says).await;
    }
}

#[tokio::test]
async fn what_a_caller_or_an_agent_wrote_is_text_in_the_crms_html_and_no_link() {
    let app = start().await;
    let mut hostile = event("evt_1", "cl_1");
    hostile["notes"] = json!("<script>alert(1)</script> & \"more\"");
    hostile["agent"]["name"] = json!("<img src=x onerror=alert(1)>");
    hostile["recording_url"] = json!("javascript:alert(1)");
    app.deliver(&hostile).await;
    app.all_done().await;
    let properties = the_call(&app).properties;
    assert!(!properties["hs_call_body"].contains("<script") && !properties["hs_call_body"].contains("<img"));
    assert!(properties["hs_call_body"].contains("alert(1)"));
    assert!(!properties.contains_key("hs_call_recording_url"));
}

#[tokio::test]
async fn a_receipt_names_the_vendor_and_its_id() {
    let app = start().await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let receipt: Value = sqlx::query_scalar("select to_jsonb(receipt) - 'created_at' from receipt")
        .fetch_one(&app.db)
        .await
        .unwrap();
    let expected = json!({
        "event_id": "evt_1", "job": "update-crm", "destination": app.stand_in.url(), "made": "call",
        "external_id": the_call(&app).id, "url": receipt["url"], "note": null,
    });
    assert_eq!(receipt, expected);
    app.process.says(&format!("update-crm done: call {}", the_call(&app).id)).await;
}

#[tokio::test]
async fn the_same_call_under_two_event_ids_is_one_crm_call_with_the_newest_data() {
    let app = start().await;
    let mut first = event("evt_1", "cl_1");
    first["notes"] = json!("old");
    let mut second = event("evt_2", "cl_1");
    second["notes"] = json!("new");
    second["occurred_at"] = json!("2025-08-21T11:05:00Z");
    app.deliver(&first).await;
    app.all_done().await;
    app.deliver(&second).await;
    app.all_done().await;
    assert!(the_call(&app).properties["hs_call_body"].contains("new"));
}

#[tokio::test]
async fn a_newer_event_that_comes_while_the_older_is_being_written_has_the_last_word() {
    let app = start().await;
    // The vendor does the work of the older one, but we don't hear of it; meanwhile the newer one is done.
    app.stand_in.fail(Fault::lose_reply().on("upsert").times(2));
    let mut older = event("evt_older", "cl_1");
    older["notes"] = json!("old");
    app.deliver(&older).await;
    eventually("the older one is at the vendor", async || app.heard("upsert") == 2).await;
    let mut newer = event("evt_newer", "cl_1");
    newer["notes"] = json!("new");
    newer["occurred_at"] = json!("2025-08-21T11:05:00Z");
    app.deliver(&newer).await;
    app.all_done().await;
    assert!(the_call(&app).properties["hs_call_body"].contains("new"));
    assert_eq!(app.count("select count(*) from receipt").await, 2, "both are done, with the newest data");
}

#[tokio::test]
async fn the_documentations_curl_sample_followed_by_the_full_one_is_one_crm_call_with_the_newest_data() {
    let app = start().await;
    app.deliver(&serde_json::from_str(CURL_SAMPLE).unwrap()).await;
    app.all_done().await;
    assert!(!the_call(&app).properties["hs_call_body"].contains("Support"));
    app.deliver(&serde_json::from_str(SAMPLE).unwrap()).await;
    app.all_done().await;
    assert!(the_call(&app).properties["hs_call_body"].contains("Queue: Support"));
}

#[tokio::test]
async fn what_a_call_and_its_contact_say_of_people_stands_in_no_log() {
    let app = start().await;
    app.deliver(&serde_json::from_str(SAMPLE).unwrap()).await;
    app.all_done().await;
    app.process.says("update-crm done").await;
    // The banner shows a call to paste; the log is what follows in JSON.
    let log: String = app.process.log().lines().filter(|line| line.starts_with('{')).collect();
    for personal in ["4085551234", "4085559876", "Jordan", "Callback scheduled", "ACME-4451", "Dana"] {
        assert!(!log.contains(personal), "{personal} in {log}");
    }
}

#[tokio::test]
async fn texts_of_any_length_fit_into_the_crms_properties() {
    let app = with(&[("WEBHOOK_MAX_BODY", "1000000")]).await;
    let mut long = event("evt_1", "cl_1");
    // Each is five characters once it is escaped.
    long["notes"] = json!("<".repeat(60_000));
    long["queue"]["name"] = json!("\"".repeat(60_000));
    long["from"] = json!("9".repeat(70_000));
    app.deliver(&long).await;
    app.all_done().await;
    let properties = the_call(&app).properties;
    let body = &properties["hs_call_body"];
    assert!(body.contains("&#60;…</p>") && body.contains("&#34;…</li>") && body.ends_with("</ul>"));
    assert_eq!(properties["hs_call_from_number"].chars().count(), 65_536);
    assert!(properties["hs_call_from_number"].ends_with("9…"));
}

#[tokio::test]
async fn a_time_with_microseconds_and_a_link_with_spaces_go_out_in_the_vendors_form() {
    let app = start().await;
    let mut call = event("evt_1", "cl_1");
    call["started_at"] = json!("2025-08-21T10:58:13.123456Z");
    call["recording_url"] = json!("HTTPS://recordings.example/a \"call\".mp3?name=a b|50%&x[1]=2");
    app.deliver(&call).await;
    app.all_done().await;
    let properties = the_call(&app).properties;
    assert_eq!(properties["hs_timestamp"], "2025-08-21T10:58:13.123Z");
    let link = "https://recordings.example/a%20%22call%22.mp3?name=a%20b%7C50%25&x%5B1%5D=2";
    assert_eq!(properties["hs_call_recording_url"], link);
}

#[tokio::test]
async fn a_transfer_names_the_call_that_it_is_part_of() {
    let app = start().await;
    let mut call = event("evt_1", "cl_1");
    call["parent_call_id"] = json!("cl_0");
    app.deliver(&call).await;
    app.all_done().await;
    assert!(the_call(&app).properties["hs_call_body"].contains("<li>Parent call: cl_0</li>"));
}
