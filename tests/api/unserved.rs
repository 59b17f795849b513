//! Jobs that no worker serves: it is told, and no longer once one does.

use crate::helpers::{App, event, eventually};

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
