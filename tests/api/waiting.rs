//! Jobs that wait, with and without a worker that serves them: it is told, and no longer once they are done.

use stand_in::Fault;

use crate::helpers::{App, REPORTS, event, eventually};

/// As if a minute were over for what waits, and for the workers that have gone.
async fn a_minute_passes(app: &App) {
    for change in [
        "update apalis.jobs set run_at = run_at - interval '61 s' where status = 'Pending'",
        "update apalis.workers set last_seen = last_seen - interval '61 s' where worker_type = 'report-call'",
    ] {
        sqlx::query(change).execute(&app.db).await.unwrap();
    }
}

#[tokio::test]
async fn jobs_that_no_worker_serves_are_told_in_the_log_and_to_people_until_one_does() {
    let app = App::receiver(&[]).await;
    let sink = format!("{}/sink/alerts", app.stand_in.url());
    let reviews = [("JOBS", "review-call"), ("ALERT_URL", sink.as_str()), ("ALERT_QUIET", "1s")];
    let other = app.another_with("work", &reviews).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    a_minute_passes(&app).await;
    for process in [&app.process, &other] {
        process.says("no worker serves them: name report-call in the JOBS of a worker").await;
    }
    let told = || {
        let deliveries = app.stand_in.sink().deliveries().into_iter();
        let alerts = deliveries.filter(|delivery| delivery.path == "/sink/alerts");
        alerts.map(|delivery| delivery.body["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    eventually("people are told", async || !told().is_empty()).await;
    assert!(told()[0].starts_with("no worker serves report-call: jobs wait since 20"), "{:?}", told());

    let _worker = app.another("work").await;
    app.all_done().await;
    eventually("its end is told", async || told().len() == 2).await;
    assert!(told()[1].starts_with("over: no worker serves report-call"), "{:?}", told());
}

#[tokio::test]
async fn jobs_that_wait_for_longer_than_people_want_are_told_while_their_worker_lives() {
    let app = App::receiver(&[]).await;
    let sink = format!("{}/sink/alerts", app.stand_in.url());
    app.stand_in.fail(Fault::status(503).on(REPORTS).endless());
    let settings = [("ALERT_URL", sink.as_str()), ("ALERT_LAG", "2m"), ("ALERT_QUIET", "1s")];
    let app = app.joined_by("work", &settings).await;
    for n in 0..20 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    let told = |says: &str| {
        let deliveries = app.stand_in.sink().deliveries().into_iter();
        let alerts = deliveries.filter(|delivery| delivery.path == "/sink/alerts");
        alerts.filter(|delivery| delivery.body["text"].as_str().unwrap().contains(says)).count()
    };
    // Its vendor is away, so its jobs wait, and time passes.
    eventually("the outage is told", async || told("is down") > 0).await;
    let waiting = "with moved as (
        update apalis.jobs set run_at = run_at - interval '121 s' where status = 'Pending' returning 1
    ) select count(*) from moved";
    assert!(app.count(waiting).await > 0);
    let says = "jobs of report-call are behind: the oldest waits since 20";
    eventually("people are told", async || told(says) == 1).await;
    app.stand_in.clear_faults();
    app.all_done().await;
    eventually("its end is told", async || told("over: jobs of report-call are behind") == 1).await;
    assert_eq!((told(says), told("no worker serves")), (1, 0));
}
