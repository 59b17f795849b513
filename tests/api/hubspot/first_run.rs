//! The first run with nothing set: a stand-in for HubSpot shows the call, and keeps it.

use std::path::PathBuf;

use serde_json::Value;

use crate::helpers::{
    eventually,
    run::{Run, paste},
};

async fn calls(run: &Run) -> Vec<Value> {
    let listing = run.labelled("HubSpot   a stand-in, which shows what arrived:");
    reqwest::get(listing).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_bare_machine_shows_the_pasted_call_beside_its_contact_and_again_at_the_next_run() {
    let name = format!("{}-hubspot-test-{}", env!("CARGO_PKG_NAME"), std::process::id());
    let home = tempfile::tempdir().unwrap();
    let run = Run::start(&name, home.path(), &[]).await;
    let directory = PathBuf::from(run.labelled("a private one in")).parent().unwrap().to_owned();

    assert_eq!(paste(run.curl()).await["status"], "stored");
    eventually("the stand-in lists the call", async || calls(&run).await.len() == 1).await;
    let call = async || calls(&run).await.remove(0);
    assert_eq!(call().await["properties"]["hs_call_duration"], "271000");
    eventually("it is beside its contact", async || call().await.to_string().contains("Dana Whitfield"))
        .await;
    assert_eq!(paste(run.curl()).await["status"], "duplicate");
    assert_eq!(calls(&run).await.len(), 1);
    run.interrupt().await;

    let run = Run::start(&name, home.path(), &[]).await;
    assert_eq!(calls(&run).await.len(), 1, "the call is kept");
    run.interrupt().await;
    std::fs::remove_dir_all(directory).unwrap();
}
