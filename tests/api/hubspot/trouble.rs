//! HubSpot in trouble: what it loses is not lost, and what it refuses is told with the setting to look at.

use stand_in::Fault;

use super::{start, the_call, with};
use crate::helpers::{App, SAMPLE, event, eventually, files::Files, quoting::Quoting};

#[tokio::test]
async fn after_lost_replies_it_holds_one_call_beside_one_contact() {
    let app = start().await;
    // Twice each: a broken connection is tried once more at once.
    app.stand_in.fail(Fault::lose_reply().on("upsert").times(2));
    app.stand_in.fail(Fault::lose_reply().on("associations").times(2));
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.len(), 1);
    assert_eq!(app.heard("upsert"), 4);
    assert_eq!(app.count("select count(*) from attempt").await, 3);
    assert_eq!(app.count("select count(*) from receipt").await, 1);
}

#[tokio::test]
async fn ten_deliveries_of_a_call_over_every_second_reply_lost_are_one_call_beside_one_contact() {
    let app = with(&[("JOB_RETRY_MAX", "1s")]).await;
    app.stand_in.fail(Fault::lose_reply().every(2));
    for id in 0..10 {
        // Processed ten times: each delivery under its own key.
        app.deliver(&event(&format!("evt_{id}"), "cl_1")).await;
    }
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.len(), 1);
}

#[tokio::test]
async fn a_revoked_key_is_one_error_that_names_it_and_all_flows_when_it_is_mended() {
    let app = start().await;
    app.stand_in.fail(Fault::status(401).on("/crm/").endless());
    for n in 0..3 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    app.process.says("is HUBSPOT_TOKEN right").await;
    app.deliver_text(SAMPLE).await;
    eventually("a probe was refused too", async || app.heard("upsert") > 3).await;
    assert_eq!(app.process.log().matches("its jobs wait until it is well again").count(), 1);
    app.stand_in.clear_faults();
    app.all_done().await;
    assert_eq!(app.stand_in.hubspot().calls().len(), 4);
    assert_eq!(app.count("select count(*) from attempt where result in ('retry', 'given_up')").await, 0);
}

#[tokio::test]
async fn a_key_that_is_mended_in_its_file_needs_no_restart() {
    let files = Files::new();
    files.write("key", "a-revoked-key");
    let app = with(&[("HUBSPOT_TOKEN", ""), ("HUBSPOT_TOKEN_FILE", &files.setting("key"))]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.process.says("is HUBSPOT_TOKEN right").await;
    assert_eq!(app.stand_in.hubspot().calls().len(), 0);
    files.write("key", &stand_in::hubspot::Options::default().token);
    app.all_done().await;
    assert_eq!(app.stand_in.hubspot().calls().len(), 1);
}

#[tokio::test]
async fn an_outage_and_a_pause_that_it_asks_for_lose_no_call() {
    let app = start().await;
    app.stand_in.fail(Fault::rate_limited(Some(1)).on("upsert"));
    app.stand_in.fail(Fault::status(503).on("/crm/").times(5));
    for n in 0..4 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    app.all_done().await;
    assert_eq!(app.stand_in.hubspot().calls().len(), 4);
    assert_eq!(app.count("select count(*) from attempt where result = 'given_up'").await, 0);
}

#[tokio::test]
async fn what_hubspot_quotes_of_a_call_is_kept_nowhere() {
    let vendor = Quoting::start().await;
    let settings = [("JOBS", "update-crm"), ("HUBSPOT_TOKEN", "key"), ("HUBSPOT_BASE_URL", &vendor.url)];
    vendor.refuses(&App::receiver(&settings).await, "HubSpot answered 400").await;
}
