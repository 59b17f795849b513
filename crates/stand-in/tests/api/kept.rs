//! An account that outlives a restart.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::{Value, json};
use stand_in::zendesk::Status;
use stand_in::{Options, StandIn};

use crate::desk::{Desk, TICKET, voice_comment};
use crate::{Api, PROPERTIES};

#[tokio::test]
async fn the_account_outlives_a_restart() {
    let options = Options { keep: Some(file("kept/account.json")), ..Options::default() };
    let api = Api::start_with(options.clone()).await;
    let address = api.stand_in.url().replace("http://", "");
    let (_, first) = api.upsert("cl_1").await;
    let id = first["results"][0]["id"].as_str().unwrap().to_owned();
    api.put(&format!("/crm/objects/2026-09/calls/{id}/associations/default/contacts/101")).await;
    let added = api.stand_in.hubspot().add_contact([("firstname", "Added")]);
    let property = json!({ "groupName": "call", "name": "call_priority", "label": "Priority",
        "type": "string", "fieldType": "text" });
    assert_eq!(api.post(PROPERTIES, property).await.0, 201);
    api.stand_in.stop().await;
    // Without an await in between: the port is free as soon as `stop` returns.
    TcpListener::bind(address).unwrap();

    let api = Api::start_with(options).await;
    let hubspot = api.stand_in.hubspot();
    assert_eq!((hubspot.calls().len(), &hubspot.calls()[0].id), (1, &id));
    assert_eq!(hubspot.calls()[0].contacts["101"], "Dana Whitfield");
    assert_eq!(hubspot.contacts().last().unwrap().id, added);
    assert!(hubspot.has_call_property("call_priority"));

    let (_, again) = api.upsert("cl_1").await;
    assert_eq!((&again["results"][0]["new"], &again["results"][0]["id"]), (&json!(false), &json!(id)));
    let (_, another) = api.upsert("cl_2").await;
    assert_eq!(another["results"][0]["new"], true);
    assert_eq!(hubspot.calls().len(), 2);
}

#[tokio::test]
async fn tickets_outlive_a_restart_and_so_do_keys() {
    let options = Options { keep: Some(file("kept-tickets.json")), ..Options::default() };
    let desk = Desk::at(StandIn::start(options.clone()).await.unwrap()).await;
    let added = desk.stand_in.zendesk().add_ticket(Status::Pending);
    desk.update(json!({ "voice_comment": voice_comment(), "group_id": 7 })).await;
    let ticket = json!({ "ticket": { "external_id": "cl_1", "comment": { "body": "A call" } } });
    let created = desk.create("evt_1", &ticket).await;
    let before = desk.get(TICKET).await;
    let token = desk.token.clone();
    desk.stand_in.stop().await;

    let mut desk = Desk::at(StandIn::start(options).await.unwrap()).await;
    let mut after = desk.get(TICKET).await;
    // The port is another one.
    after.body["ticket"]["url"] = before.body["ticket"]["url"].clone();
    assert_eq!(after.body, before.body);
    let zendesk = desk.stand_in.zendesk().clone();
    assert_eq!((zendesk.tickets().len(), zendesk.ticket(added).unwrap().status), (5, Status::Pending));
    let again = desk.create("evt_1", &ticket).await;
    assert_eq!((again.header("x-idempotency-lookup"), &again.body), (Some("hit"), &created.body));
    let another = zendesk.add_ticket(Status::New);
    assert!(created.body["ticket"]["id"].as_u64().unwrap() < another);
    // Tokens don't.
    desk.token = token;
    desk.get(TICKET).await.refused(401, "invalid_token", "");
}

#[tokio::test]
async fn the_two_accounts_share_the_file_without_losing_each_other() {
    let keep = file("kept-both.json");
    let options = Options { keep: Some(keep.clone()), ..Options::default() };
    let api = Api::start_with(options.clone()).await;
    api.stand_in.zendesk().add_ticket(Status::Open);
    api.upsert("cl_1").await;
    api.stand_in.stop().await;
    let api = Api::start_with(options.clone()).await;
    assert_eq!(api.stand_in.zendesk().tickets().len(), 4);
    assert_eq!(api.stand_in.hubspot().calls().len(), 1);
    api.stand_in.stop().await;

    // As it is when another vendor is new.
    let mut json: Value = serde_json::from_slice(&fs::read(&keep).unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("zendesk").unwrap();
    fs::write(&keep, json.to_string()).unwrap();
    let api = Api::start_with(options).await;
    assert_eq!(api.stand_in.zendesk().tickets().len(), 3);
    assert_eq!(api.stand_in.hubspot().calls().len(), 1);
}

#[tokio::test]
async fn a_file_with_half_an_account_is_left_alone() {
    let path = file("half-an-account.json");
    let stand_in = StandIn::start(Options { keep: Some(path.clone()), ..Options::default() }).await.unwrap();
    stand_in.stop().await;
    let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    json["zendesk"] = json!({ "tickets": [] });
    fs::write(&path, json.to_string()).unwrap();
    let options = Options { keep: Some(path.clone()), ..Options::default() };
    assert_eq!(StandIn::start(options).await.err().unwrap().kind(), io::ErrorKind::InvalidData);
    assert_eq!(fs::read_to_string(path).unwrap(), json.to_string());
}

#[tokio::test]
async fn a_file_that_is_no_account_is_left_alone() {
    let path = file("not-an-account.json");
    fs::write(&path, "notes").unwrap();
    let options = Options { keep: Some(path.clone()), ..Options::default() };
    let error = StandIn::start(options).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let text = error.to_string();
    assert!(text.contains("not-an-account.json") && text.contains("expected"), "{text}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "notes");
}

#[tokio::test]
async fn what_is_no_vendors_account_stays_in_the_file() {
    let path = file("somebody-elses.json");
    fs::write(&path, r#"{"next_id": 501, "freshdesk": {"tickets": []}}"#).unwrap();
    let options = Options { keep: Some(path.clone()), ..Options::default() };
    let api = Api::start_with(options).await;
    api.upsert("cl_1").await;
    api.stand_in.stop().await;
    let json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!((&json["next_id"], &json["freshdesk"]), (&json!(501), &json!({ "tickets": [] })));
    assert!(json["hubspot"].is_object());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_the_file_even_where_an_earlier_one_was_open_to_all() {
    use std::os::unix::fs::PermissionsExt;

    let path = file("kept-private.json");
    let options = Options { keep: Some(path.clone()), ..Options::default() };
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    StandIn::start(options.clone()).await.unwrap().stop().await;
    assert_eq!(mode(), 0o600);
    fs::write(path.with_extension("tmp"), "left behind").unwrap();
    for open in [&path, &path.with_extension("tmp")] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o644)).unwrap();
    }
    StandIn::start(options).await.unwrap().stop().await;
    assert_eq!(mode(), 0o600);
}

/// A path in cargo's folder for tests, with nothing there from an earlier run.
fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}
