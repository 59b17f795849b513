//! What the CRM holds of a call.

use serde_json::{Value, json};
use stand_in::{Fault, Options};

use crate::helpers::{App, CURL_SAMPLE, SAMPLE, event, eventually};

/// The one call that HubSpot holds.
fn the_call(app: &App) -> stand_in::Call {
    let calls = app.stand_in.hubspot().calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls[0].clone()
}

#[tokio::test]
async fn the_sample_becomes_one_call_with_every_property_in_the_vendors_form() {
    let app =
        App::with(&[("HUBSPOT_OWNERS", "ag_102=777"), ("HUBSPOT_PROPERTIES", "priority=call_priority")])
            .await;
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
            "external_call_id": "cl_8fKQ92", "hs_timestamp": "2025-08-21T10:58:13Z", "hs_call_title": "Inbound call",
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
    let app = App::start().await;
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
async fn what_a_caller_or_an_agent_wrote_is_text_in_the_crms_html_and_no_link() {
    let app = App::start().await;
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
async fn the_contact_is_found_by_hubspots_own_id() {
    let app = App::with(&[("HUBSPOT_CONTACT_ID_PROPERTY", "")]).await;
    let contact = app.stand_in.hubspot().add_contact([("firstname", "Ida"), ("lastname", "Own")]);
    let mut event = event("evt_1", "cl_1");
    event["custom_fields"]["crm_id"] = json!(contact.parse::<u64>().unwrap());
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_keys().collect::<Vec<_>>(), [contact]);
}

#[tokio::test]
async fn without_a_crm_id_the_contact_is_found_by_the_number_of_the_other_party() {
    let app = App::start().await;
    let written = app.stand_in.hubspot().add_contact([("firstname", "Pat"), ("phone", "+14085550000")]);
    for (direction, from, to) in
        [("inbound", "+1 408-555-0000", "+14085559876"), ("outbound", "+14085559876", "+14085550000")]
    {
        let mut event = event(&format!("evt_{direction}"), &format!("cl_{direction}"));
        event["direction"] = json!(direction);
        event["from"] = json!(from);
        event["to"] = json!(to);
        event["custom_fields"] = json!({});
        app.deliver(&event).await;
    }
    app.all_done().await;
    for call in app.stand_in.hubspot().calls() {
        assert_eq!(call.contacts.keys().collect::<Vec<_>>(), [&written]);
    }
}

#[tokio::test]
async fn a_crm_id_that_names_nobody_falls_back_to_the_number() {
    let app = App::start().await;
    let mut event = event("evt_1", "cl_1");
    event["custom_fields"]["crm_id"] = json!("ACME-0000");
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_values().collect::<Vec<_>>(), ["Dana Whitfield"]);
}

#[tokio::test]
async fn a_call_without_a_contact_is_logged_without_and_the_receipt_says_so() {
    let app = App::start().await;
    for (id, from, note) in [
        ("unknown", "+14085550199", "no contact has this number"),
        ("anonymous", "anonymous", "no contact: no crm_id names one, and there is no number to look for"),
    ] {
        let mut event = event(id, id);
        event["from"] = json!(from);
        event["custom_fields"] = json!({});
        app.deliver(&event).await;
        app.all_done().await;
        let receipt: String = sqlx::query_scalar("select note from receipt where event_id = $1")
            .bind(id)
            .fetch_one(&app.db)
            .await
            .unwrap();
        assert_eq!(receipt, note);
    }
    assert!(app.stand_in.hubspot().calls().iter().all(|call| call.contacts.is_empty()));
    assert_eq!(app.stand_in.hubspot().calls().len(), 2);
}

#[tokio::test]
async fn of_several_contacts_with_the_number_the_oldest_is_taken_and_the_receipt_says_so() {
    let app = App::start().await;
    let mut event = event("evt_1", "cl_1");
    event["from"] = json!("+4930901820");
    event["custom_fields"] = json!({});
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_values().collect::<Vec<_>>(), ["Lena Brandt"]);
    assert_eq!(
        app.text("select note from receipt").await,
        "2 contacts have this number: the oldest was taken"
    );
}

#[tokio::test]
async fn a_receipt_names_the_vendor_and_its_id() {
    let app = App::start().await;
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
    let app = App::start().await;
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
async fn an_older_event_that_comes_late_is_superseded() {
    let app = App::start().await;
    let mut newer = event("evt_newer", "cl_1");
    newer["notes"] = json!("new");
    newer["occurred_at"] = json!("2025-08-21T11:05:00Z");
    app.deliver(&newer).await;
    app.all_done().await;
    let mut older = event("evt_older", "cl_1");
    older["notes"] = json!("old");
    app.deliver(&older).await;
    app.all_done().await;
    assert!(the_call(&app).properties["hs_call_body"].contains("new"));
    assert_eq!(
        app.text("select reason from attempt where event_id = 'evt_older'").await,
        "superseded by evt_newer"
    );
    assert_eq!(app.hubspot_heard("upsert"), 1);
}

#[tokio::test]
async fn a_newer_event_that_comes_while_the_older_is_being_written_has_the_last_word() {
    let app = App::start().await;
    // The vendor does the work of the older one, but we don't hear of it; meanwhile the newer one is done.
    app.stand_in.fail(Fault::lose_reply().on("upsert").times(2));
    let mut older = event("evt_older", "cl_1");
    older["notes"] = json!("old");
    app.deliver(&older).await;
    eventually("the older one is at the vendor", async || app.hubspot_heard("upsert") == 2).await;
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
    let app = App::start().await;
    app.deliver(&serde_json::from_str(CURL_SAMPLE).unwrap()).await;
    app.all_done().await;
    assert!(!the_call(&app).properties["hs_call_body"].contains("Support"));
    app.deliver(&serde_json::from_str(SAMPLE).unwrap()).await;
    app.all_done().await;
    assert!(the_call(&app).properties["hs_call_body"].contains("Queue: Support"));
}

#[tokio::test]
async fn a_missing_unique_property_gives_up_and_names_the_command_that_makes_it() {
    let options = Options { unique_property: false, ..Options::default() };
    let app = App::launch(None, &[], options).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let reason = app.text("select reason from attempt").await;
    assert!(reason.contains("400") && reason.contains("aftercall setup hubspot"), "{reason}");
    assert_eq!(app.text("select result from attempt").await, "given_up");
}

#[tokio::test]
async fn setup_makes_the_unique_property_and_may_be_repeated() {
    let options = Options { unique_property: false, ..Options::default() };
    let app = App::launch(Some("receive"), &[], options).await;
    for says in ["external_call_id is made", "external_call_id was there already"] {
        let output = tokio::process::Command::new(crate::helpers::binary())
            .args(["setup", "hubspot"])
            .env_clear()
            // No developer's `.env` is there.
            .current_dir("/")
            .env("HUBSPOT_BASE_URL", app.stand_in.url())
            .env("HUBSPOT_TOKEN", Options::default().token)
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), says);
    }
    assert!(app.stand_in.hubspot().has_call_property("external_call_id"));
}
