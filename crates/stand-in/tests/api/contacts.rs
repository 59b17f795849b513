//! Finding a contact.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::{RateLimit, hubspot};

use crate::{Api, SEARCH, refused};

const CONTACTS: &str = "/crm/objects/2026-09/contacts";

#[tokio::test]
async fn a_contact_is_read_by_id_or_by_a_unique_property() {
    let api = Api::start().await;
    for path in ["101", "ACME-4451?idProperty=acme_id", "acme-4451?idProperty=acme_id"] {
        let (status, contact) = api.get(&format!("/crm/objects/2026-09/contacts/{path}")).await;
        assert_eq!((status, &contact["id"]), (200, &json!("101")), "{path}");
        assert_eq!(contact["properties"]["firstname"], "Dana");
    }
}

#[tokio::test]
async fn a_contact_shows_the_properties_that_were_asked_for() {
    let api = Api::start().await;
    for query in
        ["properties=phone,mobilephone,unheard_of", "properties=phone&properties=mobilephone,unheard_of"]
    {
        let (_, contact) = api.get(&format!("/crm/objects/2026-09/contacts/101?{query}")).await;
        let properties = contact["properties"].as_object().unwrap();
        let names: Vec<&String> = properties.keys().collect();
        assert_eq!(names, ["createdate", "hs_object_id", "lastmodifieddate", "mobilephone", "phone"]);
        assert_eq!(
            (&properties["phone"], &properties["mobilephone"]),
            (&json!("+14085551234"), &Value::Null)
        );
    }
}

#[tokio::test]
async fn who_is_not_there_is_not_found() {
    let api = Api::start().await;
    for (path, status, category, word) in [
        ("999", 404, "OBJECT_NOT_FOUND", "resource not found"),
        ("ACME-4451", 404, "OBJECT_NOT_FOUND", "usually numeric"),
        ("ACME-9999?idProperty=acme_id", 404, "OBJECT_NOT_FOUND", "resource not found"),
        ("Dana?idProperty=firstname", 400, "VALIDATION_ERROR", "non-unique 0-1 property firstname"),
        ("x?idProperty=unheard_of", 400, "VALIDATION_ERROR", "non-unique 0-1 property unheard_of"),
        ("101?property=phone", 400, "VALIDATION_ERROR", "/property is unknown"),
    ] {
        let answer = api.get(&format!("/crm/objects/2026-09/contacts/{path}")).await;
        refused(&answer, status, category, word);
    }
}

#[tokio::test]
async fn a_contact_is_made_with_its_associations_of_which_there_are_none() {
    let api = unlimited().await;
    let new = json!({ "properties": { "firstname": "Dana" }, "associations": [] });
    let (status, made) = api.post(CONTACTS, new.clone()).await;
    assert_eq!((status, &made["properties"]["firstname"]), (201, &json!("Dana")));
    for (field, value, word) in [
        ("properties", json!({ "firstName": "Dana" }), "PROPERTY_DOESNT_EXIST"),
        ("properties", json!({ "company": "ACME" }), "required properties"),
        ("associations", json!([{ "to": { "id": "1" } }]), "/associations has more than 0 items"),
        ("associations", Value::Null, "/associations must be an array"),
        ("id", json!("101"), "/id is unknown"),
    ] {
        let mut wrong = new.clone();
        wrong[field] = value;
        let answer = api.post(CONTACTS, wrong).await;
        refused(&answer, 400, "VALIDATION_ERROR", word);
    }
    let answer = api.post(CONTACTS, json!({ "properties": {} })).await;
    refused(&answer, 400, "VALIDATION_ERROR", "/associations is missing");
    // The fields of the published description's error, and of its detail.
    assert_eq!(answer.1["context"]["field"], json!(["/associations"]));
    let detail = &answer.1["errors"][0];
    assert_eq!((&detail["in"], &detail["code"]), (&json!("/associations"), &json!("REQUIRED_FIELD")));
    assert_eq!(
        (&detail["message"], &detail["context"]["field"]),
        (&json!("/associations is missing"), &json!(["/associations"]))
    );
}

#[tokio::test]
async fn contacts_are_found_by_number_and_by_any_other_property() {
    let api = unlimited().await;
    let added = api.stand_in.hubspot().add_contact([("phone", "020 7946 0000"), ("region", "EMEA")]);
    let eq = |property: &str, value: &str| json!([{ "filters": [{ "propertyName": property, "operator": "EQ", "value": value }] }]);
    let calculated = "hs_searchable_calculated_phone_number";
    for (groups, found) in [
        (eq("phone", "+14085551234"), vec!["101"]),
        (eq("phone", "4085551234"), vec![]),
        (eq(calculated, "4085551234"), vec!["101"]),
        (eq(calculated, "14085551234"), vec![]),
        (eq(calculated, "2079460000"), vec![added.as_str()]),
        (eq("hs_searchable_calculated_mobile_number", "2079460958"), vec!["102"]),
        (eq("mobilephone", "+442079460958"), vec!["102"]),
        (eq("phone", "+4930901820"), vec!["103", "104"]),
        (eq("acme_id", "acme-4451"), vec!["101"]),
        (eq("region", "EMEA"), vec![added.as_str()]),
        // Within a group all filters have to fit, of the groups one.
        (
            json!([{ "filters": [
                { "propertyName": "lastname", "operator": "EQ", "value": "Brandt" },
                { "propertyName": "firstname", "operator": "EQ", "value": "Lena" },
            ] }]),
            vec!["103"],
        ),
        (json!([eq("firstname", "Dana")[0], eq("firstname", "Lena")[0]]), vec!["101", "103"]),
        (json!([]), vec!["101", "102", "103", "104", added.as_str()]),
    ] {
        let (status, body) = api.post(SEARCH, search(&json!({ "filterGroups": groups }))).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(ids(&body), found, "{groups}");
        assert_eq!(body["total"], found.len());
    }
}

#[tokio::test]
async fn results_come_sorted_and_in_pages() {
    let api = unlimited().await;
    for (change, found, next) in [
        (json!({ "limit": 3 }), vec!["101", "102", "103"], json!("3")),
        (json!({ "limit": 3, "after": "3" }), vec!["104"], Value::Null),
        (json!({ "sorts": ["-firstname"] }), vec!["103", "104", "101", "102"], Value::Null),
        (json!({ "sorts": ["firstname"] }), vec!["102", "101", "104", "103"], Value::Null),
    ] {
        let (_, body) = api.post(SEARCH, search(&change)).await;
        assert_eq!((ids(&body), &body["paging"]["next"]["after"]), (found, &next), "{change}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_search_is_refused() {
    let api = unlimited().await;
    for field in ["filterGroups", "properties", "sorts", "limit", "after"] {
        let mut body = search(&json!({}));
        body.as_object_mut().unwrap().remove(field);
        let answer = api.post(SEARCH, body).await;
        refused(&answer, 400, "VALIDATION_ERROR", &format!("/{field} is missing"));
    }
    let filter = json!({ "propertyName": "phone", "operator": "EQ", "value": "1" });
    let group = |filters: usize| json!({ "filters": vec![filter.clone(); filters] });
    let by = |filter: Value| json!([{ "filters": [filter] }]);
    for (change, word) in [
        (json!({ "filterGroups": vec![group(1); 6] }), "/filterGroups has more than 5 items"),
        (json!({ "filterGroups": [group(7)] }), "/filterGroups/0/filters has more than 6 items"),
        (json!({ "filterGroups": vec![group(5); 4] }), "18 filters in all"),
        (
            json!({ "filterGroups": by(json!({ "propertyName": "phone", "operator": "EQ" })) }),
            "/filterGroups/0/filters/0/value is missing",
        ),
        (
            json!({ "filterGroups": by(json!({ "property": "phone", "operator": "EQ", "value": "1" })) }),
            "/filterGroups/0/filters/0/propertyName is missing",
        ),
        (
            json!({ "filterGroups": by(json!({ "propertyName": "phone", "operator": "eq", "value": "1" })) }),
            "/filterGroups/0/filters/0/operator",
        ),
        (json!({ "sorts": ["firstname", "lastname"] }), "/sorts has more than 1 item"),
        (json!({ "sorts": [{ "propertyName": "firstname" }] }), "/sorts/0 must be a string"),
        (json!({ "limit": 201 }), "/limit is greater than the maximum of 200"),
        (json!({ "after": "next" }), "/after does not match"),
        (json!({ "after": 3 }), "/after must be a string"),
        (json!({ "archived": false }), "/archived is unknown"),
    ] {
        refused(&api.post(SEARCH, search(&change)).await, 400, "VALIDATION_ERROR", word);
    }
    let filter = json!([{ "filters": [{ "propertyName": "unheard_of", "operator": "EQ", "value": "1" }] }]);
    let (status, body) = api.post(SEARCH, search(&json!({ "filterGroups": filter }))).await;
    assert_eq!((status, &body["category"]), (400, &Value::Null));
    assert_eq!(body["message"], "There was a problem with the request.");
}

#[tokio::test]
async fn more_searches_than_the_limit_are_refused_for_a_second_and_nothing_else_is() {
    let window = Duration::from_millis(1500);
    let search_limit = Some(RateLimit { window, ..hubspot::SEARCH_LIMIT });
    let api = Api::start_as(hubspot::Options { search_limit, ..Default::default() }).await;
    for _ in 0..5 {
        assert_eq!(api.post(SEARCH, search(&json!({}))).await.0, 200);
    }
    let refused = api.request("POST", SEARCH).json(&search(&json!({}))).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (429, None));
    let body: Value = refused.json().await.unwrap();
    assert_eq!((&body["errorType"], &body["policyName"]), (&json!("RATE_LIMIT"), &json!("SECONDLY")));
    assert_eq!(api.upsert("cl_1").await.0, 200);
    tokio::time::sleep(window).await;
    assert_eq!(api.post(SEARCH, search(&json!({}))).await.0, 200);
}

/// With as many searches a second as a test likes.
async fn unlimited() -> Api {
    Api::start_as(hubspot::Options { search_limit: None, ..Default::default() }).await
}

/// A search that is in order, with some of its fields replaced.
fn search(change: &Value) -> Value {
    let mut body =
        json!({ "filterGroups": [], "properties": ["phone"], "sorts": [], "limit": 10, "after": "" });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn ids(body: &Value) -> Vec<&str> {
    body["results"].as_array().unwrap().iter().map(|contact| contact["id"].as_str().unwrap()).collect()
}
