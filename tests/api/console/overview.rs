//! How it goes, and what was given up.

use reqwest::Method;
use serde_json::json;
use stand_in::Fault;

use super::{PASSWORD, ask, call, page, sessions::Person, start};
use crate::helpers::{App, REPORTS, TOKEN, event, eventually};

#[tokio::test]
async fn the_first_page_tells_of_deliveries_jobs_and_what_needs_attention() {
    let app = start().await;
    app.leaves_jobs();
    let new = page(&app, "/").await;
    assert!(new.contains("No call has come yet.") && new.contains("aftercall send"), "{new}");
    assert!(!new.contains("Needs attention"), "{new}");

    call(&app, "done", None, "done").await;
    app.deliver(&event("evt_done", "cl_done")).await;
    call(&app, "lost", Some(Fault::status(422)), "given up").await;
    call(&app, "failing", Some(Fault::status(503)), "retrying").await;
    let wrong = app
        .http
        .post(app.process.url("/webhooks/after-call"))
        .header("x-webhook-token", format!("{TOKEN}x"))
        .json(&json!({}));
    assert_eq!(wrong.send().await.unwrap().status(), 401);

    eventually("what was counted is written down", async || {
        let shown = page(&app, "/").await;
        ["<b>3</b> stored", "<b>1</b> duplicate", "<b>1</b> wrong_credential", "REPORT_URL answered 422"]
            .iter()
            .all(|told| shown.contains(told))
            && shown.contains("<th scope=\"row\">report-call</th><td>1</td><td>0</td><td>1</td>")
    })
    .await;
    let shown = page(&app, "/").await;
    assert_eq!(charted(&shown), [3, 0, 0, 1], "{shown}");
    assert!(
        shown.contains("from a call&#39;s end to our 200") || shown.contains("from a call's end to our 200"),
        "{shown}"
    );
    assert!(!shown.contains("<button"), "who has no session is offered nothing: {shown}");
}

#[tokio::test]
async fn a_vendor_that_is_left_in_peace_is_told_of_with_its_cause() {
    let app = start().await;
    app.leaves_jobs();
    app.stand_in.fail(Fault::status(401).on(REPORTS).endless());
    app.deliver(&event("evt_1", "cl_1")).await;
    eventually("it is told", async || {
        let shown = page(&app, "/").await;
        shown.contains("is left in peace, and its jobs wait: <bdi>REPORT_URL answered 401")
    })
    .await;
}

/// What the chart tells of, over all its hours: answered, unanswered, other, refused.
fn charted(page: &str) -> [u32; 4] {
    let titles = page.split("<title>").skip(2).map(|rest| rest.split_once("</title>").unwrap().0);
    let mut sums = [0; 4];
    for title in titles {
        let told = title.split_once("00: ").unwrap().1.split(", ");
        for (sum, times) in sums.iter_mut().zip(told) {
            *sum += times.split(' ').next().unwrap().parse::<u32>().unwrap();
        }
    }
    sums
}

/// Three calls over one cause, one over another.
async fn given_up(app: &App) -> Person {
    app.leaves_jobs();
    for (id, fault) in [("1", 422), ("2", 422), ("3", 422), ("4", 400)] {
        call(app, id, Some(Fault::status(fault)), "given up").await;
    }
    app.stand_in.clear_faults();
    eventually("the queue knows", async || {
        app.count("select count(*) from apalis.jobs where status = 'Killed'").await == 4
    })
    .await;
    Person::at(&app.process).await
}

async fn states(app: &App) -> String {
    app.text("select string_agg(state, ', ' order by event_id) from call_job").await
}

fn keys(page: &str) -> Vec<String> {
    let values = page.split("name=\"group\" value=\"").skip(1);
    values.map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn what_was_given_up_over_one_cause_runs_anew_with_a_press_of_its_button() {
    let app = start().await;
    let person = given_up(&app).await;
    let shown = person.reads(&app.process, "/gave-up").await.text().await.unwrap();
    assert!(
        shown.contains("4 jobs, by cause") && shown.contains("<b>3</b>") && shown.contains("Retry 3"),
        "{shown}"
    );
    assert!(shown.contains("The vendor refuses what is sent."), "{shown}");
    let keys = keys(&shown);
    let [other, one] = &keys[..] else { panic!("two causes, the newest first: {keys:?}") };

    // What was given up after the page was shown is not meant.
    let shown = [("one", one.as_str()), ("shown", "2020-01-01T00:00:00.123456")];
    assert_eq!(person.sends(&app.process, "/gave-up/retry", &shown).await.status(), 303);
    assert_eq!(states(&app).await, "given up, given up, given up, given up");
    // Of another vendor, over the same cause.
    sqlx::query("update attempt set destination = 'https://other.example' where event_id = 'evt_1'")
        .execute(&app.db)
        .await
        .unwrap();
    let sent = person.sends(&app.process, "/gave-up/retry", &[("one", one), ("group", other)]).await;
    assert_eq!((sent.status().as_u16(), &sent.headers()["location"]), (303, &"/gave-up".parse().unwrap()));
    eventually("two are done", async || states(&app).await == "given up, done, done, given up").await;

    // Nothing between these times.
    let between = [("all", "1"), ("since", "2020-01-01T00:00"), ("until", "2020-01-02T00:00")];
    assert_eq!(person.sends(&app.process, "/gave-up/retry", &between).await.status(), 303);
    for odd in [
        vec![],
        vec![("all", "1"), ("since", "yesterday")],
        vec![("one", "[1]")],
        vec![("group", "[\"\\u0000\",\"a\"]")],
    ] {
        assert_eq!(person.sends(&app.process, "/gave-up/retry", &odd).await.status(), 400, "{odd:?}");
    }
    assert_eq!(states(&app).await, "given up, done, done, given up");

    assert_eq!(person.sends(&app.process, "/gave-up/discard", &[("group", other)]).await.status(), 303);
    assert_eq!(states(&app).await, "given up, done, done, skipped");
    assert_eq!(
        person.sends(&app.process, "/gave-up/discard", &[("all", "1"), ("group", other)]).await.status(),
        303
    );
    assert_eq!(states(&app).await, "skipped, done, done, skipped");
    let shown = person.reads(&app.process, "/gave-up").await.text().await.unwrap();
    assert!(shown.contains("No job was given up."), "{shown}");
    assert_eq!(app.process.says("somebody discards jobs that were given up: done").await["jobs"], 1);
    assert_eq!(app.stand_in.sink().distinct_keys(), 2);
}

#[tokio::test]
async fn a_cause_that_a_vendor_wrote_is_text_on_the_pages() {
    let app = start().await;
    given_up(&app).await;
    let script = "<script>alert(1)</script>\"'>\u{202E}";
    sqlx::query("update attempt set reason = $1, destination = $1")
        .bind(script)
        .execute(&app.db)
        .await
        .unwrap();
    for path in ["/", "/gave-up"] {
        let shown = page(&app, path).await;
        assert!(shown.contains("&#60;script&#62;alert"), "{shown}");
        assert!(!shown.contains("<script") && !shown.contains('\u{202E}'), "{shown}");
    }
    let without = App::receiver(&[("CONSOLE_PASSWORD", PASSWORD)]).await;
    assert_eq!(ask(&without, Method::GET, "/gave-up").send().await.unwrap().status(), 200);
}
