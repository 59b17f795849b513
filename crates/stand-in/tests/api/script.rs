//! A vendor of one's own, which a test scripts.

use serde_json::{Value, json};
use stand_in::Fault;

use crate::Api;

#[tokio::test]
async fn a_client_for_ones_own_crm_meets_the_answers_that_its_test_scripts() {
    let api = Api::start().await;
    api.stand_in.script().answer(json!({
        "method": "POST", "path": "/v1/contacts/{id}/calls",
        "status": 201, "headers": { "Location": "/v1/calls/7" }, "body": { "id": "7" },
    }));
    api.stand_in.fail(Fault::rate_limited(Some(7)).on("/script/v1/contacts"));
    api.stand_in.fail(Fault::lose_reply().on("/calls"));

    let path = "/script/v1/contacts/101/calls?notify=no";
    let log = || api.request("POST", path).json(&json!({ "seconds": 271 })).send();
    let limited = log().await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    assert_eq!(limited.json::<Value>().await.unwrap(), json!({ "error": "Too Many Requests" }));
    assert!(log().await.is_err());
    let logged = log().await.unwrap();
    assert_eq!(
        (logged.status().as_u16(), &logged.headers()["location"]),
        (201, &"/v1/calls/7".parse().unwrap())
    );
    assert_eq!(logged.headers()["content-type"], "application/json");
    assert_eq!(logged.json::<Value>().await.unwrap(), json!({ "id": "7" }));

    let received = api.stand_in.received();
    assert_eq!(received.iter().map(|one| one.status).collect::<Vec<_>>(), [Some(429), None, Some(201)]);
    for one in received {
        assert_eq!((&*one.method, &*one.path), ("POST", "/script/v1/contacts/101/calls"));
        assert_eq!((one.query.as_deref(), &one.body), (Some("notify=no"), &json!({ "seconds": 271 })));
        assert_eq!(one.headers["authorization"], "Bearer stand-in");
    }
    let (_, shown) = api.get("/stand-in/received").await;
    let headers = &shown[2]["headers"];
    assert_eq!((&headers["content-type"], headers.get("authorization")), (&json!("application/json"), None));
}

#[tokio::test]
async fn what_is_not_scripted_is_refused_with_how_to_script_it() {
    let api = Api::start().await;
    api.stand_in.script().answer(json!({ "method": "GET", "path": "/v1/calls/{id}" }));
    for (method, path) in [
        ("POST", "/v1/calls/7"),
        ("GET", "/v1/calls"),
        ("GET", "/v1/calls/"),
        ("GET", "/v1/calls/7/notes"),
        ("GET", "/"),
    ] {
        let (status, body) = api.send(method, &format!("/script{path}"), None).await.unwrap();
        assert_eq!((status, &body["scripted"]), (503, &json!(["GET /v1/calls/{id}"])), "{method} {path}");
        let error = body["error"].as_str().unwrap();
        assert!(
            error.contains(&format!("scripted for {method} {path}:")) && error.contains("/stand-in/script")
        );
        // As it says.
        assert_eq!(api.post("/stand-in/script", body["script"].clone()).await.0, 201);
        assert_eq!(api.send(method, &format!("/script{path}"), None).await.unwrap(), (200, json!({})));
        api.stand_in.script().clear();
        api.stand_in.script().answer(json!({ "method": "GET", "path": "/v1/calls/{id}" }));
    }
}

#[tokio::test]
#[should_panic(expected = "not an answer: unknown field `json`")]
async fn a_test_whose_answer_is_none_fails_where_it_says_so() {
    Api::start().await.stand_in.script().answer(json!({ "method": "GET", "path": "/", "json": {} }));
}

#[tokio::test]
async fn answers_can_be_posted_listed_and_deleted_and_the_newest_that_fits_is_given() {
    let api = Api::start().await;
    let answer = |path: &str, n: u8| json!({ "method": "get", "path": path, "body": n });
    for (path, n, given) in [
        ("/v1/{*rest}", 1, 1),
        ("/v1/calls/{id}", 2, 2),
        ("/v1/calls/8", 3, 2),
        ("/v1/calls/{id}", 4, 4),
        ("/v1/calls/7", 5, 5),
    ] {
        assert_eq!(api.post("/stand-in/script", answer(path, n)).await.0, 201);
        assert_eq!(api.get("/script/v1/calls/7").await, (200, json!(given)), "{path} {n}");
    }
    assert_eq!(api.get("/script/v1/contacts/7/calls").await, (200, json!(1)));
    assert_eq!(api.post("/script/v1/contacts/7/calls", json!({})).await.0, 503);
    let (_, listed) = api.get("/stand-in/script").await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["path"]), (4, &json!("/v1/calls/7")));
    let index = api.client.get(api.stand_in.url()).send().await.unwrap().text().await.unwrap();
    assert!(index.contains("<a href=/stand-in/script>script</a> (4)"), "{index}");

    let deleted = api.request("DELETE", "/stand-in/script").send().await.unwrap();
    assert_eq!((deleted.status().as_u16(), api.get("/script/v1/calls/7").await.0), (204, 503));
    for (wrong, word) in [
        ("", "EOF"),
        (r#"{"method": "GET"}"#, "missing field `path`"),
        (r#"{"method": "GET", "path": "calls"}"#, "begin with a slash"),
        (r#"{"method": "GET", "path": "/", "status": 999}"#, "status 999"),
        (r#"{"method": "GET", "path": "/", "headers": {"a b": "c"}}"#, "header name"),
        (r#"{"method": "GET", "path": "/", "json": {}}"#, "unknown field `json`"),
    ] {
        let response = api.request("POST", "/stand-in/script").body(wrong).send().await.unwrap();
        assert_eq!(response.status(), 400, "{wrong}");
        let text = response.text().await.unwrap();
        assert!(text.starts_with("not an answer: ") && text.contains(word), "{text}");
    }
}
