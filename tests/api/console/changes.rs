//! What a person lets run from the page of a call.

use stand_in::Fault;

use super::{call, sessions::Person, start};
use crate::helpers::{App, REPORTS, eventually};

async fn is(app: &App, state: &str) {
    eventually(state, async || {
        let states = "select coalesce(string_agg(state, ' '), '') from call_job";
        app.text(states).await == state
    })
    .await;
}

#[tokio::test]
async fn a_job_that_failed_or_was_given_up_runs_at_once_when_a_person_says_so() {
    for (fault, state) in [(503, "retrying"), (422, "given up")] {
        let app = start().await;
        call(&app, "1", Some(Fault::status(fault)), state).await;
        let person = Person::at(&app.process).await;
        let page = person.reads(&app.process, "/calls/evt_1").await.text().await.unwrap();
        let sentence = match fault {
            503 => "report-call is not done: REPORT_URL answered 503",
            _ => "report-call was given up after one attempt: REPORT_URL answered 422",
        };
        assert!(page.contains(sentence) && page.contains("Run what is missing"), "{page}");

        app.stand_in.clear_faults();
        let sent = person.sends(&app.process, "/calls/evt_1/run", &[]).await;
        assert_eq!(sent.headers()["location"], "/calls/evt_1");
        is(&app, "done").await;
        assert_eq!(app.stand_in.sink().distinct_keys(), 1);
        app.process.says("somebody lets a job run now").await;
        let page = person.reads(&app.process, "/calls/evt_1").await.text().await.unwrap();
        assert!(page.contains("All is done.") && !page.contains("Run what is missing"), "{page}");
    }
}

#[tokio::test]
async fn a_job_that_is_done_runs_again_though_its_receipt_and_its_place_in_the_queue_say_no() {
    let app = start().await;
    call(&app, "1", None, "done").await;
    let person = Person::at(&app.process).await;
    let again = async |job: &str| {
        person.sends(&app.process, "/calls/evt_1/again", &[("job", job)]).await.status().as_u16()
    };
    let attempts = async |count: i64| {
        is(&app, "done").await;
        eventually("it ran", async || {
            app.count("select count(*) from attempt where result = 'done'").await == count
        })
        .await;
        eventually("the queue knows", async || {
            app.count("select count(*) from apalis.jobs where status = 'Done'").await == 1
        })
        .await;
    };
    attempts(1).await;
    assert_eq!(again("report-call").await, 303);
    attempts(2).await;
    // A finished job's row goes after a day.
    sqlx::query("delete from apalis.jobs").execute(&app.db).await.unwrap();
    assert_eq!(again("report-call").await, 303);
    attempts(3).await;
    assert_eq!(app.stand_in.sink().deliveries().len(), 3);
    assert_eq!(app.count("select count(*) from receipt").await, 1);
    app.process.says("somebody lets a job run again").await;

    assert_eq!(again("no-such-job").await, 409);
    assert_eq!(
        person.sends(&app.process, "/calls/evt_0/again", &[("job", "report-call")]).await.status(),
        409
    );
    app.stand_in.fail(Fault::status(503).on(REPORTS).endless());
    assert_eq!(again("report-call").await, 303);
    is(&app, "retrying").await;
    assert_eq!(again("report-call").await, 409, "it has not ended");
    assert_eq!(
        app.count("select count(*) from voided_receipt").await,
        3,
        "for whoever erases the caller's data"
    );
    let listed = person.reads(&app.process, "/calls?q=evt_1%3Areport-call").await.text().await.unwrap();
    assert!(listed.contains("/calls/evt_1"), "it is found by what it made before: {listed}");
    app.leaves_jobs();
}
