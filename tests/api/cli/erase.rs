//! Everything of one caller goes when a person says so.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::Fault;

use crate::{
    cli::{program, settings},
    helpers::{App, REPORTS, Ran, database, event, eventually},
};

const CALLER: &str = "+4930123456789";

async fn erase(app: &App, arguments: &[&str]) -> Ran {
    let arguments: Vec<_> = ["erase"].into_iter().chain(arguments.iter().copied()).collect();
    program(&arguments, &settings([("DATABASE_URL", app.setting("DATABASE_URL"))])).await
}

/// A call of this caller, of which nothing may be left.
fn personal(id: &str) -> Value {
    let mut event = event(&format!("evt_{id}"), &format!("cl_{id}"));
    event["from"] = json!(CALLER);
    event["agent"]["name"] = json!("Wilhelmine Unverkennbar");
    event["notes"] = json!("Wants her cat back");
    event
}

async fn has_no_trace(app: &App) {
    let dump = database::dump(app.setting("DATABASE_URL")).await;
    for trace in ["30123456789", "Unverkennbar", "cat back"] {
        assert!(!dump.contains(trace), "{trace}: {dump}");
        assert!(!app.process.log().contains(trace), "{trace}");
    }
}

async fn settled(app: &App, id: &str, state: &str) {
    let query = "select count(*) from call_job join apalis.jobs on idempotency_key = event_id
        where event_id = $1 and state = $2 and status not in ('Queued', 'Running')";
    eventually(state, async || {
        let count = sqlx::query_scalar::<_, i64>(query).bind(format!("evt_{id}")).bind(state);
        count.fetch_one(&app.db).await.unwrap() == 1
    })
    .await;
}

#[tokio::test]
async fn without_yes_it_says_how_much_there_is_and_with_yes_no_trace_of_the_number_is_left() {
    let app = App::with(&[("JOB_RETRY_FIRST", "1h")]).await;
    for (id, fault, state) in
        [("1", None, "done"), ("2", Some(422), "given up"), ("3", Some(503), "retrying")]
    {
        app.stand_in.clear_faults();
        if let Some(status) = fault {
            app.stand_in.fail(Fault::status(status).on(REPORTS));
        }
        app.deliver(&personal(id)).await;
        settled(&app, id, state).await;
    }
    let mut started = event("evt_0", "cl_1");
    started["event"] = json!("call.started");
    app.deliver(&started).await;
    app.deliver(&event("evt_other", "cl_other")).await;
    settled(&app, "other", "done").await;
    sqlx::query("update receipt set note = 'Unverkennbar' where event_id = 'evt_1'")
        .execute(&app.db)
        .await
        .unwrap();

    let url = app.setting("DATABASE_URL");
    let before = database::dump(url).await;
    let dry = erase(&app, &["+49 (0)30 123-456.789"]).await;
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.out.starts_with("3 calls with 4 events, received from "), "{dry:?}");
    assert!(
        dry.out.contains("; 2 jobs not done\n") && dry.out.contains("nothing is changed: with --yes"),
        "{dry:?}"
    );
    assert!(database::dump(url).await.contains("30123456789"));
    assert_eq!(before.matches("cat back").count(), database::dump(url).await.matches("cat back").count());

    let done = erase(&app, &["+49", "30", "123456789", "--yes", "--json"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    let report: Value = serde_json::from_str(&done.out).unwrap();
    for (what, value) in [
        ("erased", json!(true)),
        ("calls", json!(3)),
        ("events", json!(4)),
        ("jobs_not_done", json!(2)),
        ("running", json!([])),
    ] {
        assert_eq!(report[what], value, "{done:?}");
    }
    assert_eq!(report["receipts"].as_array().unwrap().len(), 1);
    assert_eq!(report["receipts"][0]["external_id"], "evt_1:report-call");
    assert_eq!(report["receipts"][0]["destination"], app.stand_in.url());
    assert!(!format!("{dry:?}{done:?}").contains("456789"), "{dry:?}{done:?}");

    has_no_trace(&app).await;
    let states = "select string_agg(event_id || ' ' || state, ', ' order by event_id) from call_job";
    assert_eq!(
        app.text(states).await,
        "evt_1 done, evt_2 given up, evt_3 skipped, evt_other done",
        "discarded is what was not done"
    );
    assert_eq!(app.count("select count(*) from apalis.jobs where idempotency_key <> 'evt_other'").await, 0);
    assert_eq!(app.count("select count(*) from call where pruned_at is null and notes <> ''").await, 1);
    let again = erase(&app, &[CALLER, "--yes"]).await;
    assert_eq!((again.code, again.out.as_str()), (0, "no call has this number\n"), "{again:?}");
}

#[tokio::test]
async fn it_finds_the_number_however_it_is_written_and_no_other() {
    let app = App::receiver(&[("JOBS", "")]).await;
    let written = [
        ("contiguous", "ring +4930123456789"),
        ("without", "ring 4930123456789!"),
        ("zeros", "ring 004930123456789"),
        ("apart", "ring +49 30 / 123 45-67.89 soon"),
        ("zeros_apart", "ring 0049 (30) 123456789"),
        ("national", "ring +49 (0)30 123456789"),
        ("no_break", "ring +49\u{a0}30\u{202f}123456789"),
        ("after_no_break", "ring\u{a0}4930123456789"),
        ("hyphen", "ring +49\u{2011}30\u{2011}123456789"),
    ];
    for (id, notes) in written {
        let mut event = event(&format!("evt_{id}"), id);
        event["notes"] = json!(notes);
        app.deliver(&event).await;
    }
    let mut field = event("evt_field", "field");
    field["custom_fields"] = json!({ "callback": [4_930_123_456_789_i64] });
    app.deliver(&field).await;
    // As .NET writes a plus, and as others write what is no ASCII.
    let escaped = r#"{"event":"call.completed","event_id":"evt_escaped","call_id":"escaped","note":"\u002B49\u00a030123456789"}"#;
    app.deliver_text(escaped).await;
    for (id, notes) in [
        ("longer", "+49301234567890"),
        ("before", "149301234567890"),
        ("time", "4930-12-34 56 78 9"),
        ("another", "+49 30 123456788"),
    ] {
        let mut event = event(&format!("evt_{id}"), id);
        event["notes"] = json!(notes);
        app.deliver(&event).await;
    }
    let ran = erase(&app, &[CALLER, "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let kept = "select coalesce(string_agg(call_id, ' ' order by call_id), '') from call_event where pruned_at is null";
    assert_eq!(app.text(kept).await, "another before longer time");
}

#[tokio::test]
async fn a_job_that_runs_is_waited_for_and_its_receipt_is_listed() {
    let app = App::start().await;
    app.stand_in.fail(Fault::slow(Duration::from_secs(4)).on(REPORTS));
    app.deliver(&personal("1")).await;
    eventually("it is at the vendor", async || app.heard(REPORTS) == 1).await;
    let ran = erase(&app, &[CALLER, "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("report-call of evt_1 at http"), "{ran:?}");
    has_no_trace(&app).await;
    assert_eq!(app.text("select state from call_job").await, "done");
    assert_eq!(app.heard(REPORTS), 1);
}

#[tokio::test]
async fn a_job_that_fails_while_it_is_waited_for_does_not_come_back() {
    let app = App::start().await;
    app.stand_in.fail(Fault::slow(Duration::from_secs(2)).on(REPORTS).endless());
    let app = app.joined_by("work", &[("JOB_TIMEOUT", "1s")]).await;
    app.deliver(&personal("1")).await;
    eventually("it is at the vendor", async || app.heard(REPORTS) == 1).await;
    let ran = erase(&app, &[CALLER, "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    has_no_trace(&app).await;
    assert_eq!(app.count("select count(*) from apalis.jobs where status <> 'Done'").await, 0);
}

#[tokio::test]
async fn a_job_that_begins_as_its_calls_data_is_deleted_asks_the_vendor_nothing() {
    let app = App::receiver(&[]).await;
    app.deliver(&personal("1")).await;
    let erased = "update call_event set body = '', pruned_at = now()";
    sqlx::query(erased).execute(&app.db).await.unwrap();
    let app = app.joined_by("work", &[]).await;
    app.all_done().await;
    assert_eq!(
        app.text("select state || ': ' || last_reason from call_job").await,
        "skipped: its call's data was deleted"
    );
    assert_eq!(app.heard(REPORTS), 0);
}

#[tokio::test]
async fn a_number_without_a_country_code_is_refused_with_what_to_write() {
    let app = App::receiver(&[]).await;
    let ran = erase(&app, &["030", "1234567", "--yes"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("write the number with + and its country's code: +1 408 555 1234"), "{ran:?}");
    assert!(!ran.err.contains("1234567"), "{ran:?}");
}
