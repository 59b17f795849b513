//! The upsert and the association.

use serde_json::{Value, json};
use stand_in::hubspot;

use crate::{Api, UPSERT, input, refused};

#[tokio::test]
async fn a_call_upserted_twice_is_one_call() {
    let api = Api::start().await;
    let (status, first) = api.upsert("cl_1").await;
    assert_eq!((status, &first["status"]), (200, &json!("COMPLETE")));
    let call = &first["results"][0];
    assert_eq!((&call["new"], &call["archived"]), (&json!(true), &json!(false)));
    assert_eq!(call["properties"]["hs_call_duration"], "271000");
    assert_eq!(call["properties"]["hs_object_id"], call["id"]);

    let (status, second) = api.upsert("cl_1").await;
    assert_eq!((status, &second["results"][0]["new"]), (200, &json!(false)));
    assert_eq!(second["results"][0]["id"], call["id"]);
    assert_eq!(api.stand_in.hubspot().calls().len(), 1);
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_give_and_clears_what_it_gives_empty() {
    let api = Api::start().await;
    api.upsert("cl_1").await;
    let update = json!({ "inputs": [{ "idProperty": "external_call_id", "id": "cl_1",
        "properties": { "hs_call_title": "Renamed", "hs_call_recording_url": "" } }] });
    assert_eq!(api.post(UPSERT, update).await.0, 200);

    let calls = api.stand_in.hubspot().calls();
    let properties = &calls[0].properties;
    assert_eq!(properties["hs_call_title"], "Renamed");
    assert_eq!(properties["hs_call_status"], "COMPLETED");
    assert!(!properties.contains_key("hs_call_recording_url"));
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_refused_and_changes_nothing() {
    let api = Api::start().await;
    api.upsert("cl_other").await;
    for (change, word) in [
        (json!({ "properties": { "hs_call_duration": 271_000 } }), "/hs_call_duration must be a string"),
        (json!({ "properties": { "hs_call_body": null } }), "/hs_call_body must be a string"),
        (json!({ "properties": { "hs_call_durration": "1" } }), "PROPERTY_DOESNT_EXIST"),
        (json!({ "properties": { "hs_call_duration": "4 min" } }), "INVALID_LONG"),
        (json!({ "properties": { "hs_timestamp": "yesterday" } }), "INVALID_LONG"),
        (json!({ "properties": { "hs_timestamp": "2025-08-21T10:58:13.123456Z" } }), "INVALID_LONG"),
        (json!({ "properties": { "hs_call_body": "a".repeat(65_537) } }), "PROPERTY_VALUE_TOO_LONG"),
        (json!({ "properties": { "hs_call_recording_url": "https://example.com/a b.mp3" } }), "INVALID_URL"),
        (
            json!({ "properties": { "hs_call_recording_url": "https://example.com/\"a\".mp3" } }),
            "INVALID_URL",
        ),
        (json!({ "properties": { "hs_timestamp": null } }), "/hs_timestamp must be a string"),
        (json!({ "properties": { "hs_timestamp": "" } }), "required properties"),
        (json!({ "properties": { "hs_call_status": "ANSWERED" } }), "INVALID_OPTION"),
        (json!({ "properties": { "hs_call_direction": "inbound" } }), "INVALID_OPTION"),
        (json!({ "properties": { "hs_call_disposition": "Connected" } }), "INVALID_OPTION"),
        (json!({ "properties": { "hs_call_source": "AFTERCALL" } }), "INVALID_OPTION"),
        (json!({ "properties": { "hs_call_recording_url": "http://example.com/a.mp3" } }), "INVALID_URL"),
        (json!({ "properties": { "hubspot_owner_id": "ag_102" } }), "INVALID_LONG"),
        (json!({ "properties": { "external_call_id": "cl_other" } }), "already has the value"),
        (json!({ "properties": null }), "/inputs/0/properties must be an object"),
        (json!({ "id": null }), "/inputs/0/id must be a string"),
        (json!({ "idProperty": null }), "/inputs/0/idProperty must be a string"),
        (json!({ "idProperty": "hs_call_title" }), "non-unique 0-48 property hs_call_title"),
        (json!({ "idProperty": "call_key" }), "non-unique 0-48 property call_key"),
        (json!({ "associations": [] }), "/inputs/0/associations is unknown"),
    ] {
        let mut input = input("cl_1");
        merge(&mut input, &change);
        let answer = api.post(UPSERT, json!({ "inputs": [input] })).await;
        refused(&answer, 400, "VALIDATION_ERROR", word);
    }
    let mut without_a_time = input("cl_1");
    without_a_time["properties"].as_object_mut().unwrap().remove("hs_timestamp");
    let answer = api.post(UPSERT, json!({ "inputs": [without_a_time] })).await;
    refused(&answer, 400, "VALIDATION_ERROR", "required properties");
    assert_eq!(answer.1["context"]["properties"], json!(["hs_timestamp"]));

    assert_eq!(api.stand_in.hubspot().calls().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_is_refused() {
    let api = Api::start().await;
    let hundred_and_one: Vec<Value> = (0..101).map(|number| input(&format!("cl_{number}"))).collect();
    for (body, word) in [
        (json!({}), "/inputs is missing"),
        (json!({ "inputs": [] }), "/inputs has less than 1 item"),
        (json!({ "inputs": hundred_and_one }), "/inputs has more than 100 items"),
        (json!({ "inputs": [input("cl_1"), input("cl_1")] }), "Duplicate IDs"),
    ] {
        refused(&api.post(UPSERT, body).await, 400, "VALIDATION_ERROR", word);
    }
    let response = api.request("POST", UPSERT).body("{\"inputs\":").send().await.unwrap();
    let answer = (response.status().as_u16(), response.json().await.unwrap());
    refused(&answer, 400, "VALIDATION_ERROR", "Invalid input JSON on line 1");
}

#[tokio::test]
async fn a_time_may_be_in_milliseconds() {
    let api = Api::start().await;
    let mut input = input("cl_1");
    for time in ["1755773893000", "2025-08-21T10:58:13.123Z"] {
        input["properties"]["hs_timestamp"] = json!(time);
        assert_eq!(api.post(UPSERT, json!({ "inputs": [input] })).await.0, 200);
    }
}

#[tokio::test]
async fn one_wrong_call_refuses_its_batch() {
    let api = Api::start().await;
    let mut wrong = input("cl_wrong");
    wrong["properties"]["hs_call_status"] = json!("ANSWERED");
    let inputs = [input("cl_1"), wrong, input("cl_2")];
    let answer = api.post(UPSERT, json!({ "inputs": inputs })).await;
    refused(&answer, 400, "VALIDATION_ERROR", "INVALID_OPTION");
    assert!(api.stand_in.hubspot().calls().is_empty());
}

#[tokio::test]
async fn a_new_account_takes_no_upsert_before_the_property_exists() {
    let api = Api::start_as(hubspot::Options { without_property: true, ..Default::default() }).await;
    assert!(!api.stand_in.hubspot().has_call_property("external_call_id"));
    let answer = api.upsert("cl_1").await;
    refused(&answer, 400, "VALIDATION_ERROR", "external_call_id");
}

#[tokio::test]
async fn associating_a_call_with_a_contact_can_be_repeated() {
    let api = Api::start().await;
    let (_, upserted) = api.upsert("cl_1").await;
    let id = upserted["results"][0]["id"].as_str().unwrap();
    let path = |call: &str, contact: &str| {
        format!("/crm/objects/2026-09/calls/{call}/associations/default/contacts/{contact}")
    };
    for _ in 0..2 {
        let (status, body) = api.put(&path(id, "101")).await;
        assert_eq!((status, &body["status"]), (200, &json!("COMPLETE")));
        assert_eq!(body["results"][0]["from"]["id"], id);
        assert_eq!(body["results"][0]["to"]["id"], "101");
        assert_eq!(body["results"][0]["associationSpec"]["associationTypeId"], 194);
    }
    let calls = api.stand_in.hubspot().calls();
    assert_eq!(calls[0].contacts.iter().collect::<Vec<_>>(), [(&"101".into(), &"Dana Whitfield".into())]);

    for (call, contact, word) in [
        (id, "999", "resource not found"),
        ("999", "101", "resource not found"),
        (id, "ACME-4451", "usually numeric"),
        ("cl_1", "101", "usually numeric"),
    ] {
        refused(&api.put(&path(call, contact)).await, 404, "OBJECT_NOT_FOUND", word);
    }
}

/// Replaces what `change` names, one level deep in `properties`.
fn merge(input: &mut Value, change: &Value) {
    for (name, value) in change.as_object().unwrap() {
        match value.as_object() {
            Some(values) if name == "properties" => {
                for (name, value) in values {
                    input["properties"][name] = value.clone();
                }
            }
            _ => input[name] = value.clone(),
        }
    }
}
