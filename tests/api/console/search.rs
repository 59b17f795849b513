//! How a call is found: by number, by id, by what became of it, and page by page.

use std::collections::BTreeSet;

use serde_json::json;
use stand_in::Fault;

use super::{PASSWORD, call, page, start};
use crate::helpers::{App, event, eventually};

/// The events in the list, in its order.
async fn events(app: &App, path: &str) -> Vec<String> {
    let list = page(app, path).await;
    let links = list.split("href=\"/calls/").skip(1);
    links.map(|link| link.split_once('"').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn a_call_is_found_by_its_number_as_people_type_it_and_by_each_of_its_ids() {
    let app = start().await;
    for (id, from) in [("1", "+4930901820"), ("2", "+14085550000"), ("3", "+4930901821")] {
        let mut call = event(&format!("evt_{id}"), &format!("cl_{id}"));
        call["from"] = json!(from);
        app.deliver(&call).await;
    }
    app.all_done().await;
    sqlx::query("update receipt set external_id = '35436' where event_id = 'evt_1'")
        .execute(&app.db)
        .await
        .unwrap();
    for typed in [
        "%2B49 30 901820",
        "030/901820",
        "(030) 90-18.20",
        "0049 30 901820",
        "cl_1",
        "evt_1",
        " evt_1 ",
        "35436",
    ] {
        assert_eq!(events(&app, &format!("/calls?q={typed}")).await, ["evt_1"], "{typed}");
    }
    let mut grouped = event("evt_4", "cl_4");
    grouped["from"] = json!("+33 1 76 36 06 95");
    app.deliver(&grouped).await;
    assert_eq!(events(&app, "/calls?q=0176360695").await, ["evt_4"]);
    app.all_done().await;
    // Our own number is every call's.
    assert_eq!(events(&app, "/calls?q=%2B14085559876").await, ["evt_4", "evt_3", "evt_2", "evt_1"]);
    for typed in ["1820", "901822", "evt_", "cl%25", "_______", "%00", "%2B49%2530"] {
        assert_eq!(events(&app, &format!("/calls?q={typed}")).await, [""; 0], "{typed}");
        assert!(page(&app, &format!("/calls?q={typed}")).await.contains("No call has this id"), "{typed}");
    }
}

#[tokio::test]
async fn a_number_and_a_vendors_id_of_any_length_are_stored_and_a_place_of_any_time_is_a_page() {
    let app = start().await;
    let mut long = event("evt_1", "cl_1");
    // What compresses would fit into any index.
    let digits: String = (0..20_000).map(|_| char::from(b'0' + fastrand::u8(..10))).collect();
    long["from"] = json!(format!("+{digits}"));
    app.deliver(&long).await;
    app.all_done().await;
    sqlx::query("update receipt set external_id = $1").bind(&digits).execute(&app.db).await.unwrap();
    assert_eq!(events(&app, &format!("/calls?q={}", &digits[19_990..])).await, ["evt_1"]);
    for after in ["-300000000000000000.x", "8210266876799000000.x", "x", "99999999999999999999.x"] {
        for show in ["", "in-progress", "done", "gave-up"] {
            page(&app, &format!("/calls?after={after}&show={show}")).await;
        }
    }
}

#[tokio::test]
async fn what_is_searched_for_is_text_in_the_page() {
    let app = start().await;
    for _ in 0..51 {
        // So that there is a link to the next page.
        let id = format!("{:x}", fastrand::u64(..));
        app.deliver(&event(&id, &id)).await;
    }
    app.all_done().await;
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE";
    for path in [
        format!("/calls?q={hostile}"),
        format!("/calls?show={hostile}"),
        format!("/calls?after={hostile}&show={hostile}"),
    ] {
        let shown = page(&app, &path).await;
        assert!(!shown.contains("<script") && !shown.contains('\u{202E}'), "{path}: {shown}");
    }
    assert!(page(&app, &format!("/calls?q={hostile}")).await.contains("value=\"&#34;&#62;&#60;script"));
}

#[tokio::test]
async fn calls_in_progress_done_and_given_up_have_lists_of_their_own_and_so_have_refusals() {
    let app = start().await;
    app.leaves_jobs();
    call(&app, "done", None, "done").await;
    call(&app, "failing", Some(Fault::status(503)), "retrying").await;
    call(&app, "lost", Some(Fault::status(422)), "given up").await;
    // The queue hears a moment later what became of a job.
    eventually("the job that was given up has changed lists", async || {
        events(&app, "/calls?show=gave-up").await == ["evt_lost"]
            && events(&app, "/calls?show=in-progress").await == ["evt_failing"]
    })
    .await;
    assert_eq!(events(&app, "/calls?show=anything").await, ["evt_lost", "evt_failing", "evt_done"]);
    assert_eq!(events(&app, "/calls?show=done").await, ["evt_done"]);
    let wrong = app.http.post(app.process.url("/webhooks/after-call")).header("x-webhook-token", "wrong");
    assert_eq!(wrong.body("{}").send().await.unwrap().status(), 401);
    eventually("the refusal is written down", async || {
        page(&app, "/refused").await.contains("<td class=\"word\">wrong credential</td><td>1</td>")
    })
    .await;
    let list = page(&app, "/calls").await;
    for (title, count) in [("All", 3), ("In progress", 1), ("Done", 1), ("Gave up", 1), ("Refused", 1)] {
        assert!(list.contains(&format!("{title} <span class=\"quiet\">{count}</span>")), "{title}: {list}");
    }
}

#[tokio::test]
async fn every_call_is_on_one_page_and_once_though_many_came_at_the_same_moment() {
    let app = App::receiver(&[("CONSOLE_PASSWORD", PASSWORD)]).await;
    sqlx::query(
        "insert into call_event (event_id, received_at, body, headers, event, call_id, from_number, custom_fields)
         select 'evt_' || n, timestamptz '2026-11-24' + (n / 60) * interval '1 s', '{}', '[]', 'call.completed', 'cl_' || n,
                '+4930901820', '{}' from generate_series(1, 260) as n",
    )
    .execute(&app.db)
    .await
    .unwrap();
    sqlx::query(
        "insert into apalis.jobs (id, job_type, idempotency_key, job, run_at, status, max_attempts)
         select '00' || job || n, job, 'evt_' || n, '', now(), status, 9
         from generate_series(1, 260) as n, (values ('a', 'Killed'), ('b', 'Killed'), ('c', 'Pending')) as job (job, status)
         where n % 2 = 0",
    )
    .execute(&app.db)
    .await
    .unwrap();
    app.leaves_jobs();
    for (beginning, count) in [
        ("/calls", 260),
        ("/calls?q=901820", 260),
        ("/calls?show=gave-up", 130),
        ("/calls?show=in-progress", 130),
        ("/calls?show=done", 130),
    ] {
        let (mut path, mut all, mut pages) = (beginning.to_owned(), Vec::new(), 0);
        loop {
            all.extend(events(&app, &path).await);
            pages += 1;
            let list = page(&app, &path).await;
            let Some((_, next)) = list.split_once("rel=\"next\" href=\"") else { break };
            path = next.split_once('"').unwrap().0.replace("&amp;", "&");
        }
        assert_eq!((pages, all.len()), (usize::div_ceil(count, 50), count), "{beginning}");
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), count, "{beginning}");
    }
}

#[tokio::test]
async fn a_call_that_is_done_is_found_behind_a_thousand_that_wait() {
    let app = App::receiver(&[("CONSOLE_PASSWORD", PASSWORD)]).await;
    sqlx::raw_sql(
        "insert into call_event (event_id, received_at, body, headers, event, call_id, custom_fields)
         select 'evt_' || n, now() - n * interval '1 s', '{}', '[]', 'call.completed', 'cl_' || n, '{}'
         from generate_series(1, 1201) as n;
         insert into apalis.jobs (id, job_type, idempotency_key, job, run_at, status, max_attempts)
         select '00a' || n, 'a', 'evt_' || n, '', now(), 'Pending', 9 from generate_series(1, 1200) as n",
    )
    .execute(&app.db)
    .await
    .unwrap();
    app.leaves_jobs();
    let first = page(&app, "/calls?show=done").await;
    assert!(first.contains("None of the last thousand calls is done."), "{first}");
    let next = first.split_once("rel=\"next\" href=\"").expect("there is more").1.split_once('"').unwrap().0;
    assert_eq!(events(&app, &next.replace("&amp;", "&")).await, ["evt_1201"]);
}
