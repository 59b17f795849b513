//! Several events of one call: a job works on the newest.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use stand_in::Fault;

use crate::helpers::{App, REPORTS, REVIEWS, event, eventually};

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
async fn two_events_of_one_call_are_worked_on_one_after_the_other_over_two_workers() {
    let app = App::receiver(&[]).await.joined_by("work", &[]).await.joined_by("work", &[]).await;
    let slow = Duration::from_secs(3);
    app.stand_in.fail(Fault::slow(slow).on(REPORTS).endless());
    deliver(&app, "evt_older", "old", "2026-11-24T10:00:00Z").await;
    eventually("the older one is at the vendor", async || app.heard(REPORTS) == 1).await;
    deliver(&app, "evt_newer", "new", "2026-11-24T10:00:01Z").await;
    app.all_done().await;
    assert_eq!(notes(&app), ["old", "new"], "the newest has the last word");
    let requests = app.stand_in.received();
    let came: Vec<_> = requests.iter().filter(|request| request.path == REPORTS).map(|r| r.at).collect();
    assert!(came[1] - came[0] >= TimeDelta::from_std(slow).unwrap(), "one at a time: {came:?}");
    assert_eq!(app.count("select count(*) from receipt").await, 2);
    assert_eq!(app.count("select count(*) from lease").await, 0);
}

#[tokio::test]
async fn an_older_event_is_worked_on_where_the_newer_one_has_no_such_job() {
    // Two receivers while JOBS is changed: the one already names the job, the other does not.
    let app = App::receiver(&[]).await;
    deliver(&app, "evt_older", "old", "2026-11-24T10:00:00Z").await;
    let app = app.with_another_receiver(&[("JOBS", "")]).await;
    deliver(&app, "evt_newer", "new", "2026-11-24T10:00:01Z").await;
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 1);
    let app = app.joined_by("work", &[]).await;
    app.all_done().await;
    assert_eq!(notes(&app), ["new"], "it is done once, with the newest data");
}

#[tokio::test]
async fn a_recording_that_only_an_older_event_has_is_not_lost_in_whatever_order_they_come() {
    let recording = "https://recordings.example/1.mp3";
    for late in [false, true] {
        let app = App::start().await;
        let mut older = event("evt_older", "cl_1");
        older["recording_url"] = json!(recording);
        older["occurred_at"] = json!("2026-11-24T10:00:00Z");
        let mut newer = event("evt_newer", "cl_1");
        newer["recording_url"] = json!(null);
        newer["occurred_at"] = json!("2026-11-24T10:00:01Z");
        newer["notes"] = json!("new");
        for event in if late { [&newer, &older] } else { [&older, &newer] } {
            app.deliver(event).await;
            app.all_done().await;
        }
        let last = app.stand_in.sink().deliveries().pop().unwrap();
        assert_eq!(last.body["data"]["recording_url"], recording, "late: {late}");
        assert_eq!(last.body["data"]["notes"], "new", "late: {late}");
    }
}

#[tokio::test]
async fn an_older_event_stands_back_for_a_newer_one_that_wants_none_of_the_job() {
    let app = App::receiver(&[("JOBS", "review-call")]).await;
    let mut missed = event("evt_older", "cl_1");
    missed["status"] = json!("missed");
    missed["occurred_at"] = json!("2026-11-24T10:00:00Z");
    app.deliver(&missed).await;
    deliver(&app, "evt_newer", "it was answered after all", "2026-11-24T10:00:01Z").await;
    let app = app.joined_by("work", &[]).await;
    app.all_done().await;
    assert_eq!(app.text("select reason from attempt").await, "superseded by evt_newer");
    assert_eq!(app.heard(REVIEWS), 0);
}
