//! What HubSpot must have once, and what a worker needs to know of it.

use stand_in::hubspot::Options;

use super::beside;
use crate::helpers::{App, Process, event};

#[tokio::test]
async fn a_missing_unique_property_gives_up_and_names_the_command_that_makes_it() {
    let options = Options { without_property: true, ..Options::default() };
    let app = beside(options, &[]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let reason = app.text("select reason from attempt").await;
    assert!(reason.contains("400") && reason.contains("aftercall setup"), "{reason}");
    assert_eq!(app.text("select result from attempt").await, "given_up");
}

#[tokio::test]
async fn setup_makes_the_unique_property_and_may_be_repeated() {
    let options = Options { without_property: true, ..Options::default() };
    let app = beside(options, &[]).await;
    for says in ["update-crm: external_call_id is made", "update-crm: external_call_id was there already"] {
        let output = tokio::process::Command::new(crate::helpers::binary())
            .args(["setup", "update-crm"])
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

#[tokio::test]
async fn a_worker_without_its_key_does_not_start_and_names_the_setting() {
    Process::refuses("work", &[("JOBS", "update-crm")], "HUBSPOT_TOKEN is not set").await;
}

#[tokio::test]
async fn a_receiver_needs_no_key() {
    let app = App::receiver(&[("JOBS", "update-crm")]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    assert_eq!(app.count("select count(*) from apalis.jobs where job_type = 'update-crm'").await, 1);
}
