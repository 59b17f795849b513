//! `/metrics`: what a Prometheus learns of deliveries, jobs, queues and vendors.

use std::collections::BTreeMap;

use serde_json::json;
use stand_in::Fault;

use crate::helpers::{App, REPORTS, SAMPLE, event, eventually, told};

/// The value of the one line with this name and these labels.
async fn metric(app: &App, name: &str, labels: &[&str]) -> Option<f64> {
    let page = app.http.get(app.process.admin_url("/metrics")).send().await.unwrap().text().await.unwrap();
    let mut lines = page.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    let value = lines.next()?.rsplit_once(' ')?.1.parse().unwrap();
    assert_eq!(lines.next(), None, "more than one {name} {labels:?}");
    Some(value)
}

#[tokio::test]
async fn deliveries_and_jobs_are_counted_with_how_long_they_took() {
    let app = App::start().await;
    // A busy machine may answer 503 before the commit: what is counted is what was answered.
    let mut answered = BTreeMap::<&str, f64>::new();
    for _ in 0..2 {
        let result = loop {
            match told(app.post(SAMPLE)).await {
                (200, word) if word == "stored" => break "stored",
                (200, _) => break "duplicate",
                (status, _) => assert_eq!(status, 503),
            }
            *answered.entry("not_stored").or_default() += 1.0;
        };
        *answered.entry(result).or_default() += 1.0;
    }
    assert_eq!(app.bare(SAMPLE).send().await.unwrap().status(), 403);
    answered.insert("no_credential", 1.0);
    app.all_done().await;

    for (result, times) in &answered {
        let labels = ["platform=\"after_call\"", &format!("result=\"{result}\"")];
        assert_eq!(metric(&app, "aftercall_deliveries_total", &labels).await, Some(*times), "{result}");
    }
    let ok = ["http_response_status_code=\"200\"", "http_route=\"/webhooks/after-call\""];
    assert_eq!(metric(&app, "http_server_request_duration_seconds_count", &ok).await, Some(2.0));
    // Where the commit was late, whoever waited for it was told 503, and nobody how late it was.
    if answered.contains_key("stored") {
        assert_eq!(metric(&app, "aftercall_delivery_lag_seconds_count", &[]).await, Some(1.0));
        // The sample is of last year.
        assert!(metric(&app, "aftercall_delivery_lag_seconds_sum", &[]).await.unwrap() > 86400.0);
    }
    let job = ["job=\"report-call\""];
    assert_eq!(metric(&app, "aftercall_call_to_done_seconds_count", &job).await, Some(1.0));
    let done = ["job=\"report-call\"", "result=\"done\""];
    assert_eq!(metric(&app, "aftercall_job_attempts_total", &done).await, Some(1.0));
    let ok = ["status=\"200\""];
    assert_eq!(metric(&app, "aftercall_vendor_request_duration_seconds_count", &ok).await, Some(1.0));
}

#[tokio::test]
async fn every_result_that_an_alert_is_about_is_told_before_the_first_delivery() {
    let app = App::receiver(&[]).await;
    let rules = include_str!("../../deploy/prometheus/alerts.yml");
    let results: Vec<&str> = rules
        .split("aftercall_deliveries_total{result=~\"")
        .skip(1)
        .flat_map(|rule| rule.split('"').next().unwrap().split('|'))
        .collect();
    assert!(results.contains(&"wrong_credential") && results.contains(&"not_stored"), "{results:?}");
    for result in results {
        let label = format!("result=\"{result}\"");
        let told = metric(&app, "aftercall_deliveries_total", &[&label]).await;
        assert_eq!(told, Some(0.0), "{result}");
    }
}

#[tokio::test]
async fn what_waits_what_was_given_up_and_a_paused_vendor_are_shown() {
    let app = App::start().await;
    app.leaves_jobs();
    let jobs = async |state: &str| {
        let labels = ["job=\"report-call\"", &format!("state=\"{state}\"")];
        metric(&app, "aftercall_jobs", &labels).await
    };
    let paused = async || metric(&app, "aftercall_vendor_paused", &["vendor=\"http://127."]).await;
    assert_eq!(paused().await, Some(0.0));
    app.stand_in.fail(Fault::status(400).on(REPORTS));
    app.deliver(&event("evt_refused", "cl_refused")).await;
    eventually("it is given up", async || jobs("given_up").await == Some(1.0)).await;

    app.stand_in.fail(Fault::rate_limited(Some(3600)).on(REPORTS).endless());
    app.deliver(&event("evt_0", "cl_0")).await;
    eventually("the vendor is paused", async || paused().await == Some(1.0)).await;
    // Nothing is fetched for it any more: these are due, and don't begin.
    for n in 1..3 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    eventually("the rest waits", async || {
        jobs("waiting").await.unwrap_or_default() + jobs("retrying").await.unwrap_or_default() > 2.5
    })
    .await;
    eventually("the oldest grows older", async || {
        metric(&app, "aftercall_job_oldest_seconds", &["report-call"]).await.unwrap_or_default() > 0.5
    })
    .await;
}

#[tokio::test]
async fn a_database_that_does_not_answer_leaves_no_number_of_the_queues_and_the_rest_as_it_is() {
    let app = App::start().await;
    app.deliver(&json!({"event": "call.completed", "event_id": "evt_1", "call_id": "cl_1"})).await;
    app.all_done().await;
    let waiting = ["report-call", "waiting"];
    eventually("the queue is told of", async || metric(&app, "aftercall_jobs", &waiting).await == Some(0.0))
        .await;
    sqlx::raw_sql("alter table apalis.jobs rename column status to hidden").execute(&app.db).await.unwrap();
    assert!(metric(&app, "aftercall_jobs", &waiting).await.unwrap().is_nan());
    let answers = ["http_response_status_code=\"200\""];
    assert_eq!(metric(&app, "http_server_request_duration_seconds_count", &answers).await, Some(1.0));
    sqlx::raw_sql("alter table apalis.jobs rename column hidden to status").execute(&app.db).await.unwrap();
}
