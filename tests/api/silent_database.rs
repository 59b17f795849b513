//! Connections to the database that go silent: open, and without an answer. The workers' go on by themselves.

use std::time::Duration;

use stand_in::Fault;

use crate::helpers::{App, REPORTS, event, eventually, proxy::Proxy};

/// A receiver, and a worker whose connections can go silent.
async fn start() -> (App, Proxy) {
    let app = App::receiver(&[]).await;
    let proxy = Proxy::before(app.setting("DATABASE_URL")).await;
    let app = app.joined_by("work", &[("DATABASE_URL", &proxy.url())]).await;
    (app, proxy)
}

async fn deliver(app: &App, calls: std::ops::Range<usize>) {
    for n in calls {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
}

#[tokio::test]
async fn a_queue_goes_on_when_all_its_connections_have_gone_silent() {
    let (app, proxy) = start().await;
    deliver(&app, 0..20).await;
    app.all_done().await;
    proxy.silence();
    proxy.heal();
    deliver(&app, 20..60).await;
    eventually("all are done", async || app.reported() == 60).await;
    app.all_done().await;
    assert_eq!(app.heard(REPORTS), 60, "none was done twice");
}

#[tokio::test]
async fn what_was_done_while_the_connections_went_silent_is_written_down_and_not_done_again() {
    let (app, proxy) = start().await;
    app.stand_in.fail(Fault::slow(Duration::from_secs(3)).on(REPORTS).times(4));
    deliver(&app, 0..4).await;
    eventually("they are at the vendor", async || app.heard(REPORTS) == 4).await;
    proxy.silence();
    proxy.heal();
    app.all_done().await;
    assert_eq!((app.heard(REPORTS), app.count("select count(*) from attempt").await), (4, 4));
    assert_eq!(app.count("select count(*) from receipt").await, 4);
}
