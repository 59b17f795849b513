//! HubSpot's limit of searches, which holds back no other request.

use chrono::TimeDelta;
use serde_json::json;
use stand_in::Fault;

use super::{start, with};
use crate::helpers::{App, event, eventually};

/// Calls that name no contact, so that each is searched for by its number.
async fn deliver(app: &App, calls: usize) {
    for n in 0..calls {
        let mut event = event(&format!("evt_{n}"), &format!("cl_{n}"));
        event["custom_fields"] = json!({});
        event["status"] = json!("missed");
        app.deliver(&event).await;
    }
}

#[tokio::test]
async fn searches_stay_below_their_limit() {
    let app = start().await;
    deliver(&app, 12).await;
    app.all_done().await;
    let refused = app.stand_in.received().iter().filter(|request| request.status == Some(429)).count();
    assert_eq!(refused, 0);
    assert!(app.stand_in.hubspot().calls().iter().all(|call| call.contacts.len() == 1));
}

#[tokio::test]
async fn two_jobs_share_the_limit_of_searches() {
    let app = with(&[("JOBS", "update-crm,follow-up")]).await;
    deliver(&app, 12).await;
    app.all_done().await;
    let all = app.stand_in.received();
    let at: Vec<_> =
        all.iter().filter(|request| request.path.ends_with("/search")).map(|request| request.at).collect();
    // Four a second take longer than this on any machine, and a budget each would take half as long.
    let took = at[at.len() - 1] - at[0];
    assert!(at.len() >= 24 && took > TimeDelta::seconds(4), "{} in {took}", at.len());
    let hubspot = app.stand_in.hubspot();
    assert_eq!((hubspot.calls().len(), hubspot.tasks().len()), (12, 12));
}

#[tokio::test]
async fn a_search_that_is_refused_comes_back_alone() {
    let app = start().await;
    app.stand_in.fail(Fault::rate_limited(None).on("/contacts/search"));
    deliver(&app, 1).await;
    eventually("it was refused", async || app.heard("search") == 1).await;
    app.all_done().await;
    assert!(app.process.logged("its jobs wait until it is well again").is_none(), "{}", app.process.log());
    let burned =
        "select count(*) from attempt where result in ('retry', 'given_up') and reason like '%searches%'";
    assert_eq!(app.count(burned).await, 0);
    assert_eq!(app.stand_in.hubspot().calls()[0].contacts.len(), 1);
}
