//! Zendesk's limits: of one ticket, which hold back no other.

use std::time::Duration;

use serde_json::json;
use stand_in::{
    RateLimit,
    zendesk::{self, Status},
};

use super::{OPEN, beside, call, start, voices};
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
