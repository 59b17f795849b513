//! What was given up is run anew when a person says so.

use stand_in::Fault;

use crate::{
    cli::{program, settings},
    helpers::{App, Ran, event},
};

async fn retry(app: &App, arguments: &[&str]) -> Ran {
    let arguments: Vec<_> = ["retry"].into_iter().chain(arguments.iter().copied()).collect();
    program(&arguments, &settings([("DATABASE_URL", app.setting("DATABASE_URL"))])).await
}

#[tokio::test]
async fn jobs_that_were_given_up_are_run_anew_with_all_their_tries() {
    let app = App::receiver(&[("JOBS", "report-call")]).await;
    let sink = format!("{}/sink/calls", app.stand_in.url());
    let app = app.joined_by("work", &[("REPORT_URL", sink.as_str()), ("JOB_GIVE_UP_AFTER", "1s")]).await;
    app.stand_in.fail(Fault::status(409).on("/sink/").endless());
    for n in 0..3 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    app.all_done().await;
    let given_up = "select count(*) from call_job where state = 'given up'";
    assert_eq!(app.count(given_up).await, 3);

    app.stand_in.clear_faults();
    // One more failure is no reason to give it up at once.
    app.stand_in.fail(Fault::status(409).on("/sink/"));
    assert_eq!(retry(&app, &["report-call", "--event", "evt_1"]).await.out, "1 of report-call run anew\n");
    app.all_done().await;
    assert_eq!(app.count(given_up).await, 2);
    assert_eq!(retry(&app, &["report-call"]).await.out, "2 of report-call run anew\n");
    app.all_done().await;
    assert_eq!(app.count(given_up).await, 0);
    assert_eq!(app.stand_in.sink().distinct_keys(), 3);

    let unknown = retry(&app, &["report-calls"]).await;
    assert!(unknown.code != 0 && unknown.err.contains("`report-calls` is no job: there are "), "{unknown:?}");
}

#[tokio::test]
async fn what_was_given_up_between_two_times_is_run_anew_and_the_rest_is_not() {
    let app = App::start().await;
    app.stand_in.fail(Fault::status(422).on("/sink/").times(3));
    for n in 0..3 {
        app.deliver(&event(&format!("evt_{n}"), &format!("cl_{n}"))).await;
    }
    app.all_done().await;
    let hours_ago =
        "update apalis.jobs set done_at = now() - right(idempotency_key, 1)::int * interval '2 h'";
    sqlx::query(hours_ago).execute(&app.db).await.unwrap();
    let given_up =
        "select string_agg(event_id, ' ' order by event_id) from call_job where state = 'given up'";

    let between = ["report-call", "--since", "3h", "--until", "1h"];
    assert_eq!(retry(&app, &between).await.out, "1 of report-call run anew\n");
    app.all_done().await;
    assert_eq!(app.text(given_up).await, "evt_0 evt_2");
    assert_eq!(
        retry(&app, &["report-call", "--until", "2020-01-01T00:00:00Z"]).await.out,
        "0 of report-call run anew\n"
    );
    let wrong = retry(&app, &["report-call", "--since", "yesterday"]).await;
    assert!(
        wrong.code != 0 && wrong.err.contains("write a time as 2026-11-27T10:00:00Z, or how long ago as 2h")
    );
    assert_eq!(retry(&app, &["report-call", "--since", "1h"]).await.out, "1 of report-call run anew\n");
    app.all_done().await;
    assert_eq!(app.text(given_up).await, "evt_2");
}
