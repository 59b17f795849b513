//! The trace that a delivery is part of, by the header `traceparent`: with its event, and in the log of receivers and workers.

use serde_json::{Value, json};
use stand_in::Fault;

use crate::helpers::{App, REPORTS, TOKEN, database, event, eventually, run, told};

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-01";

/// Delivers the event with these headers; it is taken.
async fn deliver(app: &App, event: &Value, traceparents: &[&str]) {
    let request = traceparents.iter().fold(app.post(event.to_string()), |request, traceparent| {
        request.header("traceparent", *traceparent)
    });
    assert_eq!(told(request).await.0, 200, "{traceparents:?}");
}

/// What the views say of each event's trace, in the order of their keys.
async fn shown(app: &App) -> Vec<(Option<String>, Option<String>)> {
    let shown =
        "select stored_event.trace_id, call.trace_id from stored_event left join call using (event_id)
        order by stored_event.event_id";
    sqlx::query_as(shown).fetch_all(&app.db).await.unwrap()
}

#[tokio::test]
async fn a_trace_is_kept_with_the_event_and_stands_in_the_lines_of_its_delivery_and_its_jobs() {
    let app = App::receiver(&[]).await;
    let worker = app.another("work").await;
    app.stand_in.fail(Fault::status(503).on(REPORTS).times(1));
    deliver(&app, &event("evt_1", "cl_1"), &[TRACEPARENT]).await;
    assert_eq!(app.process.says("<-- 200 stored").await["trace_id"], ID);
    for ended in ["report-call failed", "report-call done"] {
        let line = worker.says(ended).await;
        assert_eq!((&line["trace_id"], &line["event_id"]), (&json!(ID), &json!("evt_1")), "{line}");
    }
    app.all_done().await;
    assert_eq!(shown(&app).await, [(Some(ID.to_owned()), Some(ID.to_owned()))]);
    // A third party is not told.
    for request in app.stand_in.received() {
        assert!(!format!("{request:?}").contains(ID), "{request:?}");
    }

    app.stand_in.fail(Fault::status(422).on(REPORTS));
    deliver(&app, &event("evt_2", "cl_2"), &[&TRACEPARENT.replace("4bf9", "5bf9")]).await;
    assert_eq!(worker.says("report-call given up").await["trace_id"], ID.replace("4bf9", "5bf9"));
    app.leaves_jobs();
}

#[tokio::test]
async fn a_repeat_has_its_own_trace_in_its_line_and_the_event_keeps_the_first() {
    let app = App::receiver(&[]).await;
    deliver(&app, &event("evt_1", "cl_1"), &[TRACEPARENT]).await;
    deliver(&app, &event("evt_1", "cl_1"), &[&TRACEPARENT.replace("4bf9", "5bf9")]).await;
    assert_eq!(app.process.says("<-- 200 duplicate").await["trace_id"], ID.replace("4bf9", "5bf9"));
    assert_eq!(shown(&app).await[0].0.as_deref(), Some(ID));
    app.leaves_jobs();
}

#[tokio::test]
async fn without_a_valid_traceparent_a_call_is_taken_and_no_trace_is_named_whatever_its_body_says() {
    let app = App::start().await;
    let upper = TRACEPARENT.to_uppercase();
    let malformed: [&[&str]; 4] = [&[], &[&upper], &[&TRACEPARENT[..54]], &[TRACEPARENT, TRACEPARENT]];
    for (n, traceparents) in malformed.iter().enumerate() {
        let mut event = event(&format!("evt_{n}"), &format!("cl_{n}"));
        event["trace_id"] = json!(ID);
        deliver(&app, &event, traceparents).await;
    }
    app.all_done().await;
    for n in 0..malformed.len() {
        app.process.says(&format!("<-- 200 stored evt_{n}")).await;
    }
    app.process.says("report-call done").await;
    let log = app.process.log();
    assert!(!log.contains("trace_id") && !log.contains(ID), "{log}");
    assert_eq!(shown(&app).await, [(None, None), (None, None), (None, None), (None, None)]);
    let own = "select string_agg(distinct extra ->> 'trace_id', ',') from call";
    assert_eq!(app.text(own).await, ID, "a field of the body stays where such fields are");
}

#[tokio::test]
async fn the_line_of_a_refused_delivery_has_its_trace_too() {
    let app = App::receiver(&[]).await;
    let refused = app.bare("{}").header("X-Webhook-Token", "wrong").header("traceparent", TRACEPARENT);
    assert_eq!(told(refused).await.0, 401);
    let line = app.process.says("<-- 401").await;
    assert_eq!(line["trace_id"], ID, "{line}");
    assert!(!app.process.log().contains(TOKEN));
}

#[tokio::test]
async fn for_people_a_line_stays_without_the_trace() {
    let app = App::with(&[("LOG_FORMAT", "pretty")]).await;
    deliver(&app, &event("evt_1", "cl_1"), &[TRACEPARENT]).await;
    app.all_done().await;
    let lines = ["<-- 200 stored evt_1", "report-call done"];
    eventually("its lines are there", async || lines.iter().all(|line| app.process.log().contains(line)))
        .await;
    assert!(!app.process.log().contains(ID), "{}", app.process.log());
}

#[tokio::test]
async fn a_trace_goes_with_the_data_of_its_call() {
    const ERASED: &str = "5bf92f3577b34da6a3ce929d0e0e4736";
    let app = App::start().await;
    deliver(&app, &event("evt_1", "cl_1"), &[TRACEPARENT]).await;
    let mut theirs = event("evt_2", "cl_2");
    theirs["from"] = json!("+4930123456789");
    deliver(&app, &theirs, &[&TRACEPARENT.replace(ID, ERASED)]).await;
    app.all_done().await;
    let held = async || {
        let dump = database::dump(app.setting("DATABASE_URL")).await;
        [ID, ERASED].map(|id| dump.contains(id))
    };
    assert_eq!(held().await, [true, true]);

    let settings = [("DATABASE_URL".to_owned(), app.setting("DATABASE_URL").to_owned())];
    let erased = run(&["erase", "+4930123456789", "--yes"], &settings, "").await;
    assert_eq!(erased.code, 0, "{erased:?}");
    assert_eq!(held().await, [true, false]);

    let long_ago = "update call_event set received_at = received_at - interval '91 days'";
    sqlx::query(long_ago).execute(&app.db).await.unwrap();
    app.another("work").await.says("deleted what has been kept long enough").await;
    assert_eq!(held().await, [false, false]);
    assert_eq!(shown(&app).await, [(None, None), (None, None)]);
}
