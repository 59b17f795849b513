//! A person at the console while HubSpot is down.

use stand_in::Fault;

use super::{the_call, with};
use crate::{
    console::driver::Browser,
    helpers::{event, eventually},
};

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_call_that_hubspot_did_not_take_is_shown_with_why_and_run_once_hubspot_is_mended() {
    let app = with(&[("CONSOLE_PASSWORD", "a-password-for-people"), ("JOB_RETRY_FIRST", "1h")]).await;
    app.stand_in.fail(Fault::status(503).on("/crm/").endless());
    app.deliver(&event("evt_1", "cl_1")).await;
    let browser = Browser::start(&app).await;
    browser.open(&app, "/calls").await;
    eventually("the list says so", async || browser.text().await.contains("retrying update-crm")).await;
    browser.click("/calls/evt_1").await;
    let page = browser.text().await;
    assert!(page.contains("update-crm is not done: HubSpot answered 503"), "{page}");
    assert!(page.contains("Attempt 1 failed, the next comes in "), "{page}");

    app.stand_in.clear_faults();
    browser.press("Run what is missing").await;
    eventually("the page turns to done by itself", async || browser.text().await.contains("All is done."))
        .await;
    assert_eq!(the_call(&app).properties["external_call_id"], "cl_1");
}
