//! Zendesk in trouble: limits of one ticket, which hold back no other, and an outage, which holds back all.

use std::time::Duration;

use serde_json::json;
use stand_in::{
    Fault, RateLimit,
    zendesk::{self, Status},
};

use super::{OPEN, beside, call, start, voices, with};
use crate::helpers::eventually;

#[tokio::test]
async fn a_ticket_that_takes_no_more_updates_holds_back_no_other() {
    let ticket_limit = Some(RateLimit { requests: 2, window: Duration::from_mins(10) });
    let app = beside(zendesk::Options { ticket_limit, ..zendesk::Options::default() }, &[]).await;
    app.leaves_jobs();
    for id in ["1", "2", "3", "4"] {
        app.deliver(&call(id, json!(OPEN), "answered", true)).await;
    }
    let refused = async || app.stand_in.received().iter().any(|request| request.status == Some(429));
    eventually("the ticket takes no more", refused).await;
    let other = app.stand_in.zendesk().add_ticket(Status::Open);
    app.deliver(&call("other", json!(other), "answered", true)).await;
    eventually("the other ticket has its call", async || voices(&app, other).len() == 1).await;
    assert_eq!(voices(&app, OPEN).len(), 2);
    assert!(app.process.logged("its jobs wait until it is well again").is_none(), "{}", app.process.log());
    let burned =
        "select count(*) from attempt where result in ('retry', 'given_up') and reason like '%updates%'";
    assert_eq!(app.count(burned).await, 0);
}

#[tokio::test]
async fn calls_of_one_ticket_wait_for_each_other_instead_of_meeting_conflicts() {
    let app = start().await;
    for id in 0..8 {
        app.deliver(&call(&id.to_string(), json!(OPEN), "answered", true)).await;
    }
    app.all_done().await;
    assert_eq!(voices(&app, OPEN).len(), 8);
    let conflicts = app.stand_in.received().iter().filter(|request| request.status == Some(409)).count();
    assert_eq!(conflicts, 0);
}

#[tokio::test]
async fn an_outage_pauses_zendesks_jobs_though_most_calls_have_no_ticket_to_ask_it_for() {
    let app = with(&[("JOB_CONCURRENCY", "4"), ("JOB_RETRY_MAX", "1s")]).await;
    app.stand_in.fail(Fault::status(503).on("/api/v2/").endless());
    for id in 0..30 {
        let ticket =
            if id % 3 == 0 { json!(app.stand_in.zendesk().add_ticket(Status::Open)) } else { json!(null) };
        app.deliver(&call(&id.to_string(), ticket, "answered", true)).await;
    }
    let paused = "select count(*) from attempt where result = 'paused'";
    eventually("probes find it down", async || app.count(paused).await > 5).await;
    let skipped = "select count(*) from attempt where result = 'skipped'";
    eventually("calls without a ticket don't wait for it", async || app.count(skipped).await == 20).await;
    // Three in a row open the breaker; others were under way.
    let burned = app.count("select count(*) from attempt where result = 'retry'").await;
    assert!(burned <= 3 + 4, "{burned} attempts burned");
    app.stand_in.clear_faults();
    app.all_done().await;
    assert_eq!(app.count("select count(*) from receipt").await, 10);
}
