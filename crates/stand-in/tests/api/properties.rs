//! Creating properties.

use serde_json::json;
use stand_in::hubspot;

use crate::{Api, PROPERTIES, UPSERT, input, refused};

#[tokio::test]
async fn a_property_is_created_once_and_can_then_be_used() {
    let api = Api::start_as(hubspot::Options { without_property: true, ..Default::default() }).await;
    let path = format!("{PROPERTIES}/external_call_id");
    refused(&api.get(&path).await, 404, "OBJECT_NOT_FOUND", "not found");

    let property = json!({ "groupName": "call", "name": "external_call_id", "label": "External call ID",
        "type": "string", "fieldType": "text", "hasUniqueValue": true });
    let (status, created) = api.post(PROPERTIES, property.clone()).await;
    assert_eq!((status, &created["hubspotDefined"]), (201, &json!(false)));
    assert_eq!(api.get(&path).await, (200, created));
    refused(&api.post(PROPERTIES, property).await, 409, "CONFLICT", "already exists");

    assert_eq!(api.upsert("cl_1").await.0, 200);
    assert!(api.stand_in.hubspot().has_call_property("external_call_id"));
}

#[tokio::test]
async fn a_created_enumeration_takes_its_options_only() {
    let api = Api::start().await;
    let option = |value: &str| json!({ "label": value, "value": value, "displayOrder": 1, "hidden": false });
    let property = json!({ "groupName": "call", "name": "call_priority", "label": "Priority",
        "type": "enumeration", "fieldType": "select", "options": [option("high"), option("low")] });
    assert_eq!(api.post(PROPERTIES, property).await.0, 201);
    for (priority, status) in [("high", 200), ("medium", 400)] {
        let mut input = input("cl_1");
        input["properties"]["call_priority"] = json!(priority);
        assert_eq!(api.post(UPSERT, json!({ "inputs": [input] })).await.0, status, "{priority}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_property_is_refused() {
    let api = Api::start().await;
    for (field, value, word) in [
        ("groupName", json!(null), "/groupName must be a string"),
        ("groupName", json!("calls"), "group calls does not exist"),
        ("name", json!("Call Key"), "/name does not match"),
        ("name", json!("2nd_key"), "/name does not match"),
        ("label", json!(""), "/label is shorter than 1"),
        ("type", json!("text"), "/type is not one of"),
        ("fieldType", json!("select"), "/fieldType is not one of"),
        ("type", json!("enumeration"), "/options is missing"),
        ("unique", json!(true), "/unique is unknown"),
    ] {
        let mut property = json!({ "groupName": "call", "name": "call_key", "label": "Key",
            "type": "string", "fieldType": "text" });
        property[field] = value;
        refused(&api.post(PROPERTIES, property).await, 400, "VALIDATION_ERROR", word);
    }
    let standard = json!({ "groupName": "call", "name": "hs_call_title", "label": "Title",
        "type": "string", "fieldType": "text" });
    refused(&api.post(PROPERTIES, standard).await, 409, "CONFLICT", "hs_call_title");
    let of_deals = api.post("/crm/properties/2026-09/deals", json!({})).await;
    refused(&of_deals, 404, "OBJECT_NOT_FOUND", "not found");
}
