//! What a person does about jobs that were given up, and how those that are not done are shown.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stand_in::Fault;

use crate::{
    cli::{program, settings},
    helpers::{App, REPORTS, Ran, event, eventually},
};

async fn jobs(app: &App, arguments: &[&str]) -> Ran {
    let arguments: Vec<_> = ["jobs"].into_iter().chain(arguments.iter().copied()).collect();
    program(&arguments, &settings([("DATABASE_URL", app.setting("DATABASE_URL"))])).await
}

/// The events of the listed jobs, in their order.
async fn listed(app: &App, arguments: &[&str]) -> Vec<String> {
    let ran = jobs(app, &[&["list", "--json"], arguments].concat()).await;
    let listed: Vec<Value> = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    listed.iter().map(|job| job["event_id"].as_str().unwrap().to_owned()).collect()
}

/// A call whose report is refused with this status.
async fn given_up(app: &App, id: &str, status: u16) {
    app.stand_in.clear_faults();
    app.stand_in.fail(Fault::status(status).on(REPORTS));
    let mut event = event(&format!("evt_{id}"), &format!("cl_{id}"));
    event["from"] = json!(format!("+4930555000{id}"));
    app.deliver(&event).await;
    app.all_done().await;
}

const GIVEN_UP: &str =
    "select coalesce(string_agg(event_id, ' ' order by event_id), '') from call_job where state = 'given up'";

const NONE: &str = "no such job was given up: `jobs list --state in-progress` has those that go on\n";

#[tokio::test]
async fn what_was_given_up_is_listed_and_what_failed_for_one_cause_is_run_anew_and_nothing_else() {
    let app = App::start().await;
    for (id, status) in [("0", 422), ("1", 422), ("2", 400)] {
        given_up(&app, id, status).await;
    }
    assert_eq!(listed(&app, &[]).await, ["evt_2", "evt_1", "evt_0"]);
    assert_eq!(listed(&app, &["--limit", "1"]).await, ["evt_2"]);
    assert_eq!(listed(&app, &["--cause", "Answered 400"]).await, ["evt_2"]);
    assert_eq!(listed(&app, &["--cause", "refused", "--number", "(030) 5550001"]).await, ["evt_1"]);
    assert_eq!(listed(&app, &["--until", "1h"]).await, [""; 0]);
    let shown = jobs(&app, &["list", "--event", "evt_2"]).await.out;
    assert!(shown.contains(" UTC  report-call  evt_2  http://") && shown.contains("refused: "), "{shown}");

    let again = jobs(&app, &["retry", "--cause", "ANSWERED 422"]).await;
    assert_eq!(again.out, "2 of report-call run anew\n", "{again:?}");
    app.all_done().await;
    assert_eq!(app.text(GIVEN_UP).await, "evt_2");
    assert_eq!(jobs(&app, &["retry", "--cause", "422"]).await.out, NONE);

    for (wrong, hint) in [
        (["retry", "--job", "report-calls"], "`report-calls` is no job: there are "),
        (["list", "--since", "yesterday"], "write a time as 2026-11-27T10:00:00Z, or how long ago as 2h"),
        (["list", "--number", "0123"], "write the number, or its last five digits or more"),
        (["discard", "--cause", ""], "a value is required"),
    ] {
        let ran = jobs(&app, &wrong).await;
        assert!(ran.code != 0 && ran.err.contains(hint), "{ran:?}");
    }
}

#[tokio::test]
async fn a_job_that_is_discarded_is_skipped_and_does_not_run() {
    let app = App::start().await;
    given_up(&app, "0", 422).await;
    given_up(&app, "1", 400).await;

    let all = jobs(&app, &["discard", "--yes"]).await;
    assert!(all.code != 0 && all.err.contains("say which jobs to discard: with --job, "), "{all:?}");
    let dry = jobs(&app, &["discard", "--cause", "422"]).await;
    assert_eq!(
        dry.out,
        "1 of report-call would be discarded\nnothing is changed: with --yes they are discarded, and never run\n"
    );
    assert_eq!(app.text(GIVEN_UP).await, "evt_0 evt_1");

    let done = jobs(&app, &["discard", "--cause", "422", "--yes", "--json"]).await;
    let report: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
    assert_eq!(report, json!({ "changed": true, "jobs": { "report-call": 1 } }));
    assert_eq!(app.text(GIVEN_UP).await, "evt_1");
    assert_eq!(
        app.text("select state || ': ' || last_reason from call_job where event_id = 'evt_0'").await,
        "skipped: discarded by a person"
    );
    // What is run anew with it is done, and by then it would have run, too.
    app.stand_in.clear_faults();
    assert_eq!(jobs(&app, &["retry"]).await.out, "1 of report-call run anew\n");
    app.all_done().await;
    assert_eq!(app.heard(REPORTS), 3);
    let row = "select status || ' ' || (done_at > now() - interval '1 hour')::text from apalis.jobs where idempotency_key = 'evt_0'";
    assert_eq!(app.text(row).await, "Done true");
}

#[tokio::test]
async fn people_who_retry_and_discard_the_same_jobs_at_once_change_each_of_them_once() {
    let app = App::receiver(&[]).await;
    for statement in [
        "insert into call_event (event_id, received_at, body, headers, event, call_id, custom_fields)
         select 'evt_' || n, now(), '{}', '[]', 'call.completed', 'cl_' || n, '{}' from generate_series(1, 1500) as n",
        "insert into apalis.jobs (id, job_type, idempotency_key, job, run_at, status, max_attempts, done_at)
         select 'job_' || n, 'report-call', 'evt_' || n, '', now(), 'Killed', 9, now() from generate_series(1, 1500) as n",
        "insert into attempt (event_id, job, number, destination, ended_at, result, failure)
         select 'evt_' || n, 'report-call', 1, 'https://example.com', now(), 'given_up', 'refused' from generate_series(1, 1500) as n",
    ] {
        sqlx::query(statement).execute(&app.db).await.unwrap();
    }
    let discard = ["discard", "--job", "report-call", "--yes", "--json"];
    let retry = ["retry", "--json"];
    let ran = tokio::join!(jobs(&app, &discard), jobs(&app, &discard), jobs(&app, &retry));
    let changed = |ran: &Ran| {
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        report["jobs"]["report-call"].as_i64().unwrap_or_default()
    };
    let (discarded, again) = (changed(&ran.0) + changed(&ran.1), changed(&ran.2));
    assert_eq!(discarded + again, 1500);
    let rows = "select count(*) from attempt where result = 'skipped' and number = 2 and destination = 'https://example.com'";
    assert_eq!(app.count(rows).await, discarded);
    assert_eq!(app.count("select count(*) from apalis.jobs where status = 'Pending'").await, again);
    assert_eq!(app.count("select count(*) from call_job where state = 'skipped'").await, discarded);
}

#[tokio::test]
async fn a_job_that_comes_back_is_listed_with_its_next_try() {
    let app = App::with(&[("JOB_RETRY_FIRST", "1h")]).await;
    app.leaves_jobs();
    app.stand_in.fail(Fault::status(409).on(REPORTS));
    app.deliver(&event("evt_1", "cl_1")).await;
    eventually("it waits for its next try", async || {
        listed(&app, &["--state", "retrying"]).await == ["evt_1"]
    })
    .await;
    assert_eq!(listed(&app, &["--state", "in-progress", "--cause", "409"]).await, ["evt_1"]);
    assert_eq!(listed(&app, &["--state", "waiting"]).await, [""; 0]);
    let shown = jobs(&app, &["list", "--state", "in-progress"]).await.out;
    assert!(shown.contains(" UTC  report-call  evt_1  retrying  "), "{shown}");
}

#[tokio::test]
async fn a_text_of_a_vendors_or_a_callers_does_nothing_to_a_terminal() {
    let app = App::receiver(&[]).await;
    let hostile = "a\u{1b}[31m\u{202e}\u{9b}\u{7f}\nb";
    let mut event = event("evt_1", "cl_1");
    event["agent"]["name"] = json!(hostile);
    event["from"] = json!(hostile);
    event["event_id"] = json!(hostile);
    app.deliver(&event).await;
    sqlx::query("update apalis.jobs set status = 'Killed', done_at = now(), last_result = jsonb_build_object('Err', $1::text)")
        .bind(hostile)
        .execute(&app.db)
        .await
        .unwrap();
    let url = settings([("DATABASE_URL", app.setting("DATABASE_URL"))]);
    for command in [&["jobs", "list"][..], &["calls", "list"], &["calls", "show", "cl_1"]] {
        for json in [false, true] {
            let arguments = [command, if json { &["--json"] } else { &[] }].concat();
            let ran = program(&arguments, &url).await;
            assert_eq!(ran.code, 0, "{ran:?}");
            let harmful = |letter: &char| (letter.is_control() && *letter != '\n') || *letter == '\u{202e}';
            assert_eq!(ran.out.chars().find(harmful), None, "{ran:?}");
            if json {
                let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
                let ids: BTreeSet<_> = rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
                assert_eq!(ids, BTreeSet::from([hostile]), "{ran:?}");
            } else {
                assert!(ran.out.contains("\\u{202e}"), "{ran:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_job_that_waits_for_its_next_try_is_run_now_and_others_are_left_waiting() {
    let app = App::with(&[("JOB_RETRY_FIRST", "1h")]).await;
    for (id, status) in [503, 500].into_iter().enumerate() {
        app.leaves_jobs();
        app.stand_in.clear_faults();
        app.stand_in.fail(Fault::status(status).on(REPORTS).endless());
        app.deliver(&event(&format!("evt_{id}"), &format!("cl_{id}"))).await;
        eventually("they wait", async || {
            let open = "select string_agg(state, ' ' order by event_id) from call_job";
            let in_hand = "select count(*) from apalis.jobs where status in ('Running', 'Queued')";
            app.text(open).await == ["retrying"; 2][..=id].join(" ") && app.count(in_hand).await == 0
        })
        .await;
    }
    app.stand_in.clear_faults();

    assert_eq!(jobs(&app, &["retry"]).await.out, NONE);
    let now = jobs(&app, &["retry", "--waiting", "--cause", "answered 503", "--json"]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&now.out).unwrap(),
        json!({ "changed": true, "jobs": { "report-call": 1 } })
    );
    eventually("it is done, and the other one waits", async || {
        app.text("select string_agg(event_id || ' ' || state, ', ' order by event_id) from call_job").await
            == "evt_0 done, evt_1 retrying"
    })
    .await;
}
