//! Several events of one call: a job works on the newest.

use std::time::Duration;

use serde_json::json;
use stand_in::Fault;

use crate::helpers::{App, REPORTS, event, eventually};

async fn deliver(app: &App, event_id: &str, notes: &str, occurred_at: &str) {
    let mut event = event(event_id, "cl_1");
    event["notes"] = json!(notes);
    event["occurred_at"] = json!(occurred_at);
    app.deliver(&event).await;
}

/// The notes that the vendor was sent, oldest first.
fn notes(app: &App) -> Vec<String> {
    let deliveries = app.stand_in.sink().deliveries().into_iter();
    deliveries.map(|delivery| delivery.body["data"]["notes"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_newer_event_of_the_same_call_follows_the_older() {
    let app = App::start().await;
    deliver(&app, "evt_older", "old", "2026-11-24T10:00:00Z").await;
    app.all_done().await;
    deliver(&app, "evt_newer", "new", "2026-11-24T10:00:01Z").await;
    app.all_done().await;
    assert_eq!(notes(&app), ["old", "new"]);
}

#[tokio::test]
async fn an_older_event_that_comes_late_is_superseded() {
    let app = App::start().await;
    deliver(&app, "evt_newer", "new", "2026-11-24T10:00:01Z").await;
    app.all_done().await;
    deliver(&app, "evt_older", "old", "2026-11-24T10:00:00Z").await;
    app.all_done().await;
    assert_eq!(notes(&app), ["new"]);
    assert_eq!(
        app.text("select reason from attempt where event_id = 'evt_older'").await,
        "superseded by evt_newer"
    );
}

#[tokio::test]
async fn after_a_lost_reply_a_newer_event_that_came_meanwhile_has_the_last_word() {
    let app = App::start().await;
    // The vendor does the work of the older one, but we don't hear of it; meanwhile the newer one is done.
    app.stand_in.fail(Fault::lose_reply().on(REPORTS).times(2));
    deliver(&app, "evt_older", "old", "2026-11-24T10:00:00Z").await;
    eventually("the older one is at the vendor", async || app.heard(REPORTS) == 2).await;
    deliver(&app, "evt_newer", "new", "2026-11-24T10:00:01Z").await;
    app.all_done().await;
    assert_eq!(notes(&app).last().unwrap(), "new");
    assert_eq!(app.count("select count(*) from receipt").await, 2, "both are done, with the newest data");
}

#[tokio::test]
async fn a_newer_event_that_comes_while_the_older_is_under_way_has_the_last_word() {
    let app = App::start().await;
    // The vendor has the older one at once, and answers only after the newer one is done.
    app.stand_in.fail(Fault::slow(Duration::from_secs(3)).on(REPORTS));
    deliver(&app, "evt_older", "old", "2026-11-24T10:00:00Z").await;
    eventually("the older one is at the vendor", async || app.heard(REPORTS) == 1).await;
    deliver(&app, "evt_newer", "new", "2026-11-24T10:00:01Z").await;
    app.all_done().await;
    assert_eq!(notes(&app), ["old", "new", "new"], "the older one's job writes again what is newest");
    assert_eq!(app.count("select count(*) from receipt").await, 2);
}
