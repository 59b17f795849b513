//! An account that outlives a restart.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::json;
use stand_in::{Options, StandIn};

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
async fn a_file_that_is_no_account_is_left_alone() {
    let path = file("not-an-account.json");
    fs::write(&path, "notes").unwrap();
    let error =
        StandIn::start(Options { keep: Some(path.clone()), ..Options::default() }).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("not-an-account.json"));
    assert_eq!(fs::read_to_string(path).unwrap(), "notes");
}

/// A path in cargo's folder for tests, with nothing there from an earlier run.
fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}
