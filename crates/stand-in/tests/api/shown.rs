//! What the stand-in shows to people.

use serde_json::json;

use crate::desk::{Desk, OPEN, voice_comment};
use crate::{Api, SEARCH};

#[tokio::test]
async fn the_lists_show_what_was_received_and_what_became_of_it() {
    let api = Api::start().await;
    let (_, upserted) = api.upsert("cl_1").await;
    let id = upserted["results"][0]["id"].as_str().unwrap();
    let associate = format!("/crm/objects/2026-09/calls/{id}/associations/default/contacts/101");
    api.put(&associate).await;
    api.get("/crm/objects/2026-09/contacts/999?properties=phone").await;
    api.request("POST", SEARCH).body("no <JSON>").send().await.unwrap();

    let (_, received) = api.get("/stand-in/received").await;
    let requests = received.as_array().unwrap();
    let statuses: Vec<_> = requests.iter().map(|request| &request["status"]).collect();
    assert_eq!(statuses, [200, 200, 404, 400]);
    assert_eq!(requests[0]["body"]["inputs"][0]["id"], "cl_1");
    assert_eq!((&requests[1]["method"], &requests[1]["path"]), (&json!("PUT"), &json!(associate)));
    assert_eq!((&requests[2]["query"], &requests[2]["body"]), (&json!("properties=phone"), &json!(null)));
    assert_eq!(requests[3]["body"], "no <JSON>");
    // The token is `stand-in`, and so is no part of any of these paths.
    assert!(!received.to_string().contains("stand-in"));

    let (_, calls) = api.get("/stand-in/calls").await;
    assert_eq!(calls[0]["id"], id);
    assert_eq!(calls[0]["contacts"], json!({ "101": "Dana Whitfield" }));
    assert_eq!(calls[0]["properties"]["hs_call_title"], "Inbound call");
    let (_, contacts) = api.get("/stand-in/contacts").await;
    assert_eq!(contacts.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn the_list_of_tickets_shows_their_comments() {
    let desk = Desk::start().await;
    desk.update(json!({ "voice_comment": voice_comment() })).await;
    let tickets = desk.get("/stand-in/tickets").await.body;
    assert_eq!((tickets.as_array().unwrap().len(), &tickets[2]["id"]), (3, &json!(OPEN)));
    assert_eq!(tickets[2]["comments"][1]["data"]["call_duration"], 271);
    let index = reqwest::get(desk.stand_in.url()).await.unwrap().text().await.unwrap();
    assert!(index.contains("<a href=/stand-in/tickets>tickets</a> (3)"));
    assert!(index.contains("<a href=/stand-in/sink>"));
}

#[tokio::test]
async fn the_pages_are_for_anyone_and_for_reading() {
    let api = Api::start().await;
    for (path, content_type) in [
        ("/", "text/html"),
        ("/stand-in/contacts", "application/json"),
        ("/stand-in/tickets", "application/json"),
    ] {
        let response = reqwest::get(api.stand_in.url() + path).await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(content_type));
        assert!(response.text().await.unwrap().lines().count() > 5, "{path} is on one line");
    }
    assert!(api.stand_in.received().is_empty());
}

#[tokio::test]
async fn another_sites_name_that_leads_here_shows_nothing() {
    let stand_in = stand_in::StandIn::start(stand_in::Options::default()).await.unwrap();
    let url = format!("{}/stand-in/calls", stand_in.url());
    let status = async |host: &str| {
        let request = reqwest::Client::new().get(&url).header(reqwest::header::HOST, host);
        request.send().await.unwrap().status().as_u16()
    };
    for host in ["127.0.0.1:8090", "[::1]:8090", "localhost:8090", "calls.localhost", "stand-in:8090"] {
        assert_eq!(status(host).await, 200, "{host}");
    }
    for host in ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "a b"] {
        assert_eq!(status(host).await, 421, "{host}");
    }
}
