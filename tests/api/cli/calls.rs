//! A person looks for a call, and at what became of it.

use serde_json::{Value, json};
use stand_in::Fault;

use crate::{
    cli::{program, settings},
    helpers::{App, REPORTS, Ran, event},
};

async fn calls(app: &App, arguments: &[&str]) -> Ran {
    let arguments: Vec<_> = ["calls"].into_iter().chain(arguments.iter().copied()).collect();
    program(&arguments, &settings([("DATABASE_URL", app.setting("DATABASE_URL"))])).await
}

/// The listed calls, in their order.
async fn listed(app: &App, arguments: &[&str]) -> Vec<String> {
    let ran = calls(app, &[&["list", "--json"], arguments].concat()).await;
    let listed: Vec<Value> = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    listed.iter().map(|call| call["call_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_call_is_found_by_its_number_time_and_state_and_shown_with_its_jobs_and_their_attempts() {
    let app = App::start().await;
    app.stand_in.fail(Fault::status(422).on(REPORTS));
    for (id, number) in [("1", "+14085550111"), ("2", "+14085550122")] {
        let mut event = event(&format!("evt_{id}"), &format!("cl_{id}"));
        event["from"] = json!(number);
        app.deliver(&event).await;
        app.all_done().await;
    }
    sqlx::query("update call_event set received_at = now() - interval '2 h' where event_id = 'evt_1'")
        .execute(&app.db)
        .await
        .unwrap();
    for (arguments, found) in [
        (&[][..], &["cl_2", "cl_1"][..]),
        (&["--limit", "1"], &["cl_2"]),
        (&["--number", "(408) 555-0111"], &["cl_1"]),
        (&["--since", "1h"], &["cl_2"]),
        (&["--until", "1h"], &["cl_1"]),
        (&["--state", "gave-up"], &["cl_1"]),
        (&["--state", "gave-up", "--number", "5550122"], &[]),
        (&["--state", "in-progress"], &[]),
    ] {
        assert_eq!(listed(&app, arguments).await, found, "{arguments:?}");
    }
    let line = calls(&app, &["list", "--number", "5550111"]).await.out;
    assert!(
        line.contains("  cl_1  evt_1  inbound  +14085550111  ") && line.ends_with("  report-call given up\n"),
        "{line}"
    );

    for id in ["evt_1", "cl_1"] {
        let shown = calls(&app, &["show", id]).await.out;
        for part in [
            "event evt_1 of call cl_1\n",
            "  from_number: +14085550111\n",
            "  report-call: given up\n",
            " UTC given up REPORT_URL answered 422\n",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
    let shown = calls(&app, &["show", "cl_2", "--json"]).await.out;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let job = &shown[0]["jobs"][0];
    assert_eq!((&job["state"], &job["history"][0]["result"]), (&json!("done"), &json!("done")));
    assert_eq!(job["receipts"][0]["external_id"], "evt_2:report-call");

    let unknown = calls(&app, &["show", "cl_3"]).await;
    assert!(unknown.code == 1 && unknown.err.contains("no event and no call has the id cl_3"), "{unknown:?}");
    assert_eq!(calls(&app, &["list", "--number", "99999"]).await.out, "no such call has come\n");
}
