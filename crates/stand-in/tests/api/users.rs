//! Zendesk's users who are callers.

use serde_json::{Value, json};
use stand_in::zendesk;

use crate::desk::{Desk, TOKENS, grant};

const USERS: &str = "/api/v2/users.json";
const SEARCH: &str = "/api/v2/users/search.json";

/// A desk whose caller may find and make users.
async fn start() -> Desk {
    let mut desk = Desk::start_with(zendesk::Options::default()).await;
    let mut asked = grant();
    asked["scope"] = json!("users:read users:write");
    desk.token = desk.post(TOKENS, asked).await.body["access_token"].as_str().unwrap().into();
    desk
}

fn user() -> Value {
    json!({ "name": "Caller +1 408-555-1234", "phone": "+14085551234", "role": "end-user",
        "external_id": "caller:+14085551234" })
}

#[tokio::test]
async fn a_user_is_made_once_for_an_external_id_and_found_by_it_at_once() {
    let desk = start().await;
    let made = desk.post(USERS, json!({ "user": user() })).await;
    assert_eq!((made.status, &made.body["user"]["phone"]), (201, &json!("+14085551234")));
    let again = desk.post(USERS, json!({ "user": user() })).await;
    again.refused(422, "RecordInvalid", "has already been taken");
    assert_eq!(again.body["details"]["external_id"][0]["error"], "DuplicateValue");
    let found = desk.get(&format!("{SEARCH}?external_id=caller:%2B14085551234")).await.body;
    assert_eq!((&found["count"], &found["users"][0]["id"]), (&json!(1), &made.body["user"]["id"]));
    // By its number only later: searches lag behind.
    let by_number = format!("{SEARCH}?query=phone:%2B14085551234");
    assert_eq!(desk.get(&by_number).await.body["count"], 0);
    let known = desk.stand_in.zendesk().add_user("Dana", "+1 (408) 555-1234");
    assert_eq!(desk.get(&by_number).await.body["users"][0]["id"], known);
}

#[tokio::test]
async fn what_is_wrong_with_a_user_is_refused() {
    let desk = start().await;
    for (field, value, word) in [
        ("name", json!(1), "user.name must be a string"),
        ("phone", Value::Null, "user.phone must be a string"),
        ("telephone", json!("+14085551234"), "user.telephone is unknown"),
    ] {
        let mut wrong = user();
        wrong[field] = value;
        desk.post(USERS, json!({ "user": wrong })).await.wrong_type(word);
    }
    for (field, value) in [
        ("name", json!(" ")),
        ("name", json!("a".repeat(256))),
        ("phone", json!("anonymous")),
        ("external_id", json!("a".repeat(256))),
        ("role", json!("agent")),
    ] {
        let mut wrong = user();
        wrong[field] = value;
        let refused = desk.post(USERS, json!({ "user": wrong })).await;
        refused.refused(422, "RecordInvalid", field);
        assert_eq!(refused.body["details"][field][0]["error"], "InvalidValue");
    }
    desk.post(USERS, json!({ "name": "Dana" })).await.wrong_type("name is unknown");
    desk.post(USERS, json!({})).await.refused(422, "RecordInvalid", "user is missing");
    for query in ["", "?query=Dana", "?phone=%2B14085551234", "?query=phone:1&external_id=1"] {
        assert_eq!(desk.get(&format!("{SEARCH}{query}")).await.status, 400, "{query}");
    }
    assert!(desk.stand_in.zendesk().users().is_empty());
}
