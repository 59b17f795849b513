//! What people are told, and that they are told once.

use stand_in::Fault;

use crate::helpers::{App, Process, REPORTS, SAMPLE, TOKEN, event, eventually};

/// The path of the chat that is told.
const ALERTS: &str = "/sink/alerts";

/// A receiver, and two workers that tell the stand-in's sink.
async fn start(settings: &[(&str, &str)]) -> App {
    let app = App::receiver(&[]).await;
    let sink = format!("{}{ALERTS}", app.stand_in.url());
    let settings: Vec<_> = settings.iter().copied().chain([("ALERT_URL", sink.as_str())]).collect();
    app.joined_by("work", &settings).await.joined_by("work", &settings).await
}

/// The messages, oldest first.
fn told(app: &App) -> Vec<String> {
    let deliveries = app.stand_in.sink().deliveries().into_iter();
    let alerts = deliveries.filter(|delivery| delivery.path == ALERTS);
    alerts.map(|delivery| delivery.body["text"].as_str().unwrap().to_owned()).collect()
}

async fn deliver(app: &App, calls: std::ops::Range<usize>) {
    for n in calls {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
}

#[tokio::test]
async fn an_outage_is_told_once_by_all_workers_together_and_once_more_when_it_is_over() {
    let app = start(&[("ALERT_QUIET", "1s")]).await;
    app.stand_in.fail(Fault::status(503).on(REPORTS).endless());
    deliver(&app, 0..8).await;
    eventually("it is told", async || !told(&app).is_empty()).await;
    let first = told(&app).remove(0);
    assert!(
        first.starts_with(&format!("{} is down: REPORT_URL answered 503", app.stand_in.url())),
        "{first}"
    );
    let attempts = "select count(*) from attempt where failure = 'down'";
    let now = app.count(attempts).await;
    eventually("it goes on", async || app.count(attempts).await > now + 3).await;
    app.stand_in.clear_faults();
    eventually("its end is told", async || told(&app).len() > 1).await;
    app.all_done().await;
    let told = told(&app);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with(&format!("over: {} is down (from 20", app.stand_in.url())), "{told:?}");
}

#[tokio::test]
async fn jobs_that_are_given_up_are_told_of_at_the_first_and_counted_at_the_end() {
    let app = start(&[("ALERT_QUIET", "15s")]).await;
    app.stand_in.fail(Fault::status(422).on(REPORTS).endless());
    deliver(&app, 0..1).await;
    eventually("the first is told", async || told(&app).len() == 1).await;
    deliver(&app, 1..4).await;
    eventually("the end is told", async || told(&app).len() == 2).await;
    let told = told(&app);
    assert!(told[0].starts_with("report-call gave up event evt_0: REPORT_URL answered 422"), "{told:?}");
    assert!(told[1].starts_with("over: report-call gave up (from 20"), "{told:?}");
    assert!(told[1].ends_with(", 4 times)"), "{told:?}");
}

#[tokio::test]
async fn a_refused_credential_is_told_with_the_vendors_words() {
    let app = start(&[]).await;
    app.leaves_jobs();
    app.stand_in.fail(Fault::status(401).on(REPORTS).endless());
    deliver(&app, 0..3).await;
    eventually("it is told", async || !told(&app).is_empty()).await;
    let told = told(&app);
    assert!(
        told[0].contains("refuses our credential") && told[0].contains("REPORT_URL answered 401"),
        "{told:?}"
    );
}

#[tokio::test]
async fn silence_is_told_and_so_is_the_next_call() {
    let app = start(&[("ALERT_SILENCE", "3s")]).await;
    deliver(&app, 0..1).await;
    eventually("the silence is told", async || !told(&app).is_empty()).await;
    deliver(&app, 1..2).await;
    eventually("its end is told", async || told(&app).len() > 1).await;
    let told = told(&app);
    assert!(told[0].starts_with("no call has come since 20"), "{told:?}");
    assert!(told[0].ends_with("longer than 3s (ALERT_SILENCE)"), "{told:?}");
    assert!(told[1].starts_with("over: no call came from 20"), "{told:?}");
    app.all_done().await;
}

#[tokio::test]
async fn an_alert_that_can_not_be_told_is_told_later_and_a_callers_words_mention_nobody() {
    let app = start(&[]).await;
    app.stand_in.fail(Fault::status(422).on(REPORTS));
    app.stand_in.fail(Fault::status(500).on(ALERTS).times(2));
    app.deliver(&event("evt_<!channel>", "cl_1")).await;
    eventually("it is told", async || !told(&app).is_empty()).await;
    let told = told(&app);
    assert!(told[0].contains("evt_&lt;!channel&gt;") && !told[0].contains('<'), "{told:?}");
    assert!(app.stand_in.received().iter().filter(|request| request.path == ALERTS).count() >= 3);
}

#[tokio::test]
async fn a_receiver_of_alerts_that_is_none_or_missing_keeps_the_worker_from_starting_and_is_not_shown() {
    for (settings, says) in [
        (
            [("ALERT_URL", "hooks.slack.com/services/T0/B0/s3cret"), ("LOG_FORMAT", "json")],
            "ALERT_URL is no web address",
        ),
        ([("ALERT_SILENCE", "1h"), ("LOG_FORMAT", "json")], "ALERT_SILENCE needs ALERT_URL"),
    ] {
        let usual = [("JOBS", "report-call"), ("REPORT_URL", "http://127.0.0.1:1")];
        let log = Process::refuses("work", &[usual, settings].concat(), says).await;
        assert!(!log.contains("s3cret"), "{log}");
    }
}

#[tokio::test]
async fn a_failure_is_over_when_what_failed_is_done_and_not_when_another_job_is() {
    let app = start(&[("ALERT_QUIET", "1s"), ("JOB_RETRY_FIRST", "15s")]).await;
    app.stand_in.fail(Fault::status(409).on(REPORTS));
    deliver(&app, 0..1).await;
    eventually("it is told", async || !told(&app).is_empty()).await;
    deliver(&app, 1..3).await;
    eventually("its end is told", async || told(&app).len() == 2).await;
    assert!(told(&app)[1].starts_with("over: report-call fails"), "{:?}", told(&app));
    assert_eq!(app.count("select count(*) from receipt where event_id = 'evt_0'").await, 1);
}

#[tokio::test]
async fn a_receiver_that_can_not_store_tells_it_by_itself_and_that_it_is_over() {
    let app = App::receiver(&[]).await;
    app.leaves_jobs();
    let sink = format!("{}{ALERTS}", app.stand_in.url());
    let receiver = app.another_with("receive", &[("ALERT_URL", &sink), ("ALERT_QUIET", "1s")]).await;
    let full = "create function refuse() returns trigger language plpgsql as
        $$ begin raise sqlstate '53100' using message = 'no space left on device'; end $$;
        create trigger full_disk before insert on call_event for each row execute function refuse()";
    sqlx::raw_sql(full).execute(&app.db).await.unwrap();
    let delivery =
        app.http.post(receiver.url("/webhooks/after-call")).header("X-Webhook-Token", TOKEN).body(SAMPLE);
    assert_eq!(delivery.send().await.unwrap().status(), 503);
    eventually("it is told", async || !told(&app).is_empty()).await;
    sqlx::raw_sql("drop trigger full_disk on call_event").execute(&app.db).await.unwrap();
    eventually("its end is told", async || told(&app).len() > 1).await;
    let told = told(&app);
    assert!(told[0].contains(": events can't be stored since 20"), "{told:?}");
    assert!(told[1].starts_with("over: ") && told[1].contains("events could not be stored"), "{told:?}");
}

#[tokio::test]
async fn deliveries_that_are_refused_and_were_not_before_are_told_without_the_database() {
    let app = App::receiver(&[]).await;
    let sink = format!("{}{ALERTS}", app.stand_in.url());
    let receiver = app.another_with("receive", &[("ALERT_URL", &sink), ("ALERT_QUIET", "1s")]).await;
    let deliver = async |token: &str| {
        let url = receiver.url("/webhooks/after-call");
        let sent = app.http.post(url).header("X-Webhook-Token", token).body(SAMPLE).send();
        sent.await.unwrap().status().as_u16()
    };
    assert_eq!(deliver(TOKEN).await, 200);
    for _ in 0..2 {
        assert_eq!(deliver("the secret of a form that somebody changed").await, 401);
    }
    eventually("it is told", async || !told(&app).is_empty()).await;
    eventually("its end is told", async || told(&app).len() > 1).await;
    let told = told(&app);
    let says = ": deliveries of 127.0.0.1, which has delivered before, are refused with 401: wrong credential: compare";
    assert!(told[0].contains(says), "{told:?}");
    assert!(told[1].starts_with("over: "), "{told:?}");
    assert!(told[1].contains(": deliveries were refused with 401 wrong_credential (from 20"), "{told:?}");
}

#[tokio::test]
async fn a_right_secret_from_an_address_that_is_not_listed_is_told_and_answered_as_any_other() {
    let app = App::receiver(&[]).await;
    let sink = format!("{}{ALERTS}", app.stand_in.url());
    let settings = [("ALERT_URL", &*sink), ("WEBHOOK_ALLOWED_IPS", "203.0.113.0/24")];
    let receiver = app.another_with("receive", &settings).await;
    let deliver = async |token: &str| {
        let url = receiver.url("/webhooks/after-call");
        let answer = app.http.post(url).header("X-Webhook-Token", token).body(SAMPLE).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let stranger = deliver("a guess").await;
    for _ in 0..3 {
        assert_eq!(deliver(TOKEN).await, stranger);
    }
    eventually("it is told", async || {
        let moved = "WEBHOOK_ALLOWED_IPS doesn't list it. It has the right secret: if the platform has moved, add its address";
        told(&app).iter().any(|told| told.contains(moved))
    })
    .await;
    assert_eq!(app.count("select count(*) from call_event").await, 0);
}
