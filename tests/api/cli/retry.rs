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
