//! What was given up is run anew when a person says so.

use stand_in::Fault;
use tokio::process::Command;

use crate::helpers::{App, binary, event};

/// Runs `aftercall retry …` on the app's database; returns whether it succeeded, and what it printed.
async fn retry(app: &App, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    command.arg("retry").args(arguments).env_clear().env("DATABASE_URL", app.setting("DATABASE_URL"));
    let output = command.output().await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
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
    assert_eq!(
        retry(&app, &["report-call", "--event", "evt_1"]).await,
        (true, "1 of report-call run anew\n".to_owned())
    );
    app.all_done().await;
    assert_eq!(app.count(given_up).await, 2);
    assert_eq!(retry(&app, &["report-call"]).await, (true, "2 of report-call run anew\n".to_owned()));
    app.all_done().await;
    assert_eq!(app.count(given_up).await, 0);
    assert_eq!(app.stand_in.sink().distinct_keys(), 3);

    let (known, says) = retry(&app, &["report-calls"]).await;
    assert!(!known && says.contains("`report-calls` is no job: there are "), "{says}");
}
