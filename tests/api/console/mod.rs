//! The pages for people, over HTTP.

mod browser;
mod changes;
mod deleted;
pub(crate) mod driver;
mod hosts;
mod overview;
mod rotation;
mod search;
mod sessions;

use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::{Value, json};
use stand_in::Fault;
use tokio::task::JoinSet;

use crate::helpers::{App, REPORTS, event, eventually};

const PASSWORD: &str = "a-password-for-people";

/// Receives and works, with a console.
async fn start() -> App {
    App::with(&[("CONSOLE_PASSWORD", PASSWORD), ("JOB_RETRY_FIRST", "1h")]).await
}

fn ask(app: &App, method: Method, path: &str) -> RequestBuilder {
    app.http.request(method, app.process.admin_url(path)).basic_auth("anybody", Some(PASSWORD))
}

/// A page without the one script that is ours.
async fn page(app: &App, path: &str) -> String {
    let answer = ask(app, Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let page = answer.text().await.unwrap();
    let (head, rest) = page.split_once("<script src=\"/live.js\" defer></script>").expect("our script");
    format!("{head}{rest}")
}

/// Delivers a call and waits for this state of its job.
async fn call(app: &App, id: &str, fault: Option<Fault>, state: &str) {
    app.stand_in.clear_faults();
    if let Some(fault) = fault {
        app.stand_in.fail(fault.on(REPORTS));
    }
    app.deliver(&event(&format!("evt_{id}"), &format!("cl_{id}"))).await;
    let query = "select count(*) from call_job where event_id = $1 and state = $2";
    eventually(state, async || {
        let count: i64 =
            sqlx::query_scalar(query).bind(format!("evt_{id}")).bind(state).fetch_one(&app.db).await.unwrap();
        count == 1
    })
    .await;
}

#[tokio::test]
async fn without_a_password_there_is_no_console_and_a_line_says_what_turns_it_on() {
    let app = App::receiver(&[]).await;
    for path in ["/", "/calls/evt_1", "/style.css"] {
        let answer = ask(&app, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 404);
        assert!(answer.text().await.unwrap().contains("CONSOLE_PASSWORD"));
    }
}

#[tokio::test]
async fn the_password_may_come_from_a_file_and_an_empty_one_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), PASSWORD).unwrap();
    let app = App::receiver(&[("CONSOLE_PASSWORD_FILE", file.path().to_str().unwrap())]).await;
    assert!(page(&app, "/calls").await.contains("No call has come yet"));

    crate::helpers::Process::refuses("receive", &[("CONSOLE_PASSWORD", "")], "CONSOLE_PASSWORD is empty")
        .await;
}

#[tokio::test]
async fn only_the_password_opens_it_under_any_name() {
    let app = App::receiver(&[("CONSOLE_PASSWORD", PASSWORD)]).await;
    let bare = |path| app.http.get(app.process.admin_url(path));
    for path in ["/", "/calls", "/calls/evt_1", "/live.js", "/nowhere"] {
        let answers = [
            bare(path),
            bare(path).basic_auth("anybody", Some("wrong")),
            bare(path).basic_auth(PASSWORD, Some("")),
            bare(path).bearer_auth(PASSWORD),
            bare(path).header(header::AUTHORIZATION, "Basic !"),
        ];
        for request in answers {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path}");
            hardened(&answer);
            let form = answer.text().await.unwrap();
            assert!(
                form.contains(&format!("name=\"next\" value=\"{path}\"")) && !form.contains("<nav"),
                "{form}"
            );
        }
    }
    for user in ["anybody", "", "somebody else"] {
        assert_eq!(bare("/").basic_auth(user, Some(PASSWORD)).send().await.unwrap().status(), 200);
    }
    app.process.says("a wrong password for the console").await;
    let log = app.process.log();
    assert!(!log.contains(PASSWORD), "{log}");
}

#[tokio::test]
async fn who_guesses_the_password_is_refused_before_it_is_compared_and_who_waits_is_let_in() {
    let app = App::receiver(&[("CONSOLE_PASSWORD", PASSWORD)]).await;
    let guess = app.http.get(app.process.admin_url("/")).basic_auth("anybody", Some("a guess"));
    eventually("a guess is told to wait", async || {
        let mut guesses = JoinSet::new();
        // No more at a time than one address may have connections.
        for _ in 0..15 {
            guesses.spawn(guess.try_clone().unwrap().send());
        }
        let mut told = false;
        for answer in guesses.join_all().await {
            let answer = answer.unwrap();
            hardened(&answer);
            match answer.status().as_u16() {
                401 => {}
                429 => told = answer.headers()[header::RETRY_AFTER] == "1",
                other => panic!("{other}"),
            }
        }
        told
    })
    .await;
    // The right one among them is refused like any other, or the limit would limit nothing.
    eventually("the right one is refused", async || {
        let told = guess.try_clone().unwrap().send().await.unwrap().status();
        told == 429 && ask(&app, Method::GET, "/").send().await.unwrap().status() == 429
    })
    .await;
    eventually("a second later it opens", async || {
        ask(&app, Method::GET, "/").send().await.unwrap().status() == 200
    })
    .await;
    page(&app, "/calls").await;
    app.process.says("the console is opened").await;
    let lines = app.process.log().matches("the console is opened").count();
    assert_eq!(lines, 1, "one line, and not one a page");
}

fn hardened(answer: &Response) {
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "same-origin");
    assert_eq!(header("cache-control"), "no-store");
}

#[tokio::test]
async fn every_answer_is_hardened_and_nothing_is_sent_to_a_page_that_is_only_read() {
    let app = App::receiver(&[("CONSOLE_PASSWORD", PASSWORD)]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    for (path, status, kind) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/calls", 200, "text/html; charset=utf-8"),
        ("/live.js", 200, "text/javascript; charset=utf-8"),
        ("/calls/evt_1", 200, "text/html; charset=utf-8"),
        ("/style.css", 200, "text/css; charset=utf-8"),
        ("/calls/evt_2", 404, "text/html; charset=utf-8"),
        ("/calls/evt_%00", 404, "text/html; charset=utf-8"),
        ("/nowhere", 404, "text/html; charset=utf-8"),
    ] {
        let answer = ask(&app, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], kind, "{path}");
        hardened(&answer);
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = ask(&app, method.clone(), path).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {path}");
            hardened(&answer);
        }
    }
}

#[tokio::test]
async fn the_list_shows_what_became_of_each_call_and_why() {
    let app = start().await;
    app.leaves_jobs();
    call(&app, "done", None, "done").await;
    call(&app, "failing", Some(Fault::status(503)), "retrying").await;
    call(&app, "lost", Some(Fault::status(422)), "given up").await;

    let list = page(&app, "/calls").await;
    let rows: Vec<_> = list.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), 3, "{list}");
    let [given_up, failing, done] = rows[..] else { panic!("{list}") };
    assert!(
        done.contains("/calls/evt_done") && done.contains(r#"<span class="state">done</span>"#),
        "{done}"
    );
    assert!(done.contains("+14085551234") && done.contains("4m 31s") && done.contains("Jordan"), "{done}");
    assert!(!done.contains("cause"), "{done}");
    assert!(failing.contains("retrying") && failing.contains("REPORT_URL answered 503"), "{failing}");
    assert!(
        failing.contains("next try ") && failing.contains(", in 59m") || failing.contains(", in 1h"),
        "{failing}"
    );
    assert!(given_up.contains("given up") && given_up.contains("REPORT_URL answered 422"), "{given_up}");
    assert!(!given_up.contains("next try"), "{given_up}");

    app.process.says("report-call given up").await;
    let log = app.process.log();
    // The banner shows a call to paste; the log is what follows in JSON.
    let log: String = log.lines().filter(|line| line.starts_with('{')).collect();
    for personal in ["+14085551234", "Jordan", "Callback scheduled"] {
        assert!(!log.contains(personal), "{personal} is in the log: {log}");
    }
}

#[tokio::test]
async fn the_page_of_a_call_shows_its_attempts_receipt_problems_and_payload() {
    let app = start().await;
    app.leaves_jobs();
    call(&app, "1", None, "done").await;
    sqlx::query(
        "update receipt set url = 'https://vendor.example/calls/7', note = 'no contact has this number'",
    )
    .execute(&app.db)
    .await
    .unwrap();
    let done = page(&app, "/calls/evt_1").await;
    let link = r#"<a href="https://vendor.example/calls/7" rel="noreferrer noopener">delivery "#;
    assert!(done.contains(link) && done.contains("no contact has this number"), "{done}");
    assert!(done.contains("1 attempt\n") || done.contains("1 attempt ·"), "{done}");
    let recording = r#"<a href="https://recordings.example/abc123.mp3" rel="noreferrer noopener">"#;
    assert!(done.contains(recording), "{done}");
    assert!(!done.contains("Problems of form") && !done.contains("Other events"), "{done}");

    call(&app, "2", Some(Fault::status(503)), "retrying").await;
    let failing = page(&app, "/calls/evt_2").await;
    assert!(failing.contains("<td>failed</td><td>REPORT_URL answered 503"), "{failing}");
    assert!(failing.contains("next try "), "{failing}");

    // The order of the fields, repeated ones and the digits of numbers are the sender's.
    let body = r#"{"event": "call.completed", "call_id":"cl_1","event_id":"evt_3","duration_seconds":1.50,"b":[],
        "a":[1,{"x":"{[,:\"\\"}],"b":{}}"#;
    app.stand_in.clear_faults();
    assert_eq!(app.post(body).send().await.unwrap().status(), 200);
    let odd = page(&app, "/calls/evt_3").await;
    assert!(odd.contains("<li>duration_seconds is not a whole number of seconds</li>"), "{odd}");
    assert!(odd.contains(r#"<a href="/calls/evt_1">evt_1</a>"#), "the other event of the call: {odd}");
    let shown = odd.split_once("<pre dir=\"ltr\" id=\"payload\">").unwrap().1.split_once("</pre>").unwrap().0;
    let expected = r#"{
  "event": "call.completed",
  "call_id": "cl_1",
  "event_id": "evt_3",
  "duration_seconds": 1.50,
  "b": [],
  "a": [
    1,
    {
      "x": "{[,:\"\\"
    }
  ],
  "b": {}
}"#;
    assert_eq!(shown.replace("&#34;", "\""), expected);

    sqlx::query("update call_event set body = 'no \"JSON\"' where event_id = 'evt_3'")
        .execute(&app.db)
        .await
        .unwrap();
    assert!(
        page(&app, "/calls/evt_3").await.contains("<pre dir=\"ltr\" id=\"payload\">no &#34;JSON&#34;</pre>")
    );
}

#[tokio::test]
async fn hostile_text_is_text() {
    let app = start().await;
    let script = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let mut hostile = event("evt/../\"><b>?#%", "cl_<i>");
    for field in ["from", "to", "status", "reason", "direction", "parent_call_id", "notes"] {
        hostile[field] = json!(format!("{field}{script}\u{202E}{{{{7*7}}}}"));
    }
    hostile["queue"] = json!({ "id": script, "name": script });
    hostile["agent"] = json!({ "id": script, "name": script });
    hostile["custom_fields"] = json!({ (script): script, "list": [script] });
    hostile["recording_url"] = json!("javascript:alert(1)//https://x.example");
    app.deliver(&hostile).await;
    app.all_done().await;
    sqlx::query(
        "update receipt set url = 'JavaScript:alert(2)', made = $1, external_id = $1, note = $1, destination = $1",
    )
    .bind(script)
    .execute(&app.db)
    .await
    .unwrap();
    sqlx::query("update attempt set reason = $1").bind(script).execute(&app.db).await.unwrap();

    let link = "/calls/evt%2F..%2F%22%3E%3Cb%3E%3F%23%25";
    let (list, call) = (page(&app, "/calls").await, page(&app, link).await);
    assert!(list.contains(&format!("<a href=\"{link}\">")), "{list}");
    for shown in [&list, &call] {
        for tag in ["<script", "<img", "<b>?", "<i>"] {
            assert!(!shown.contains(tag), "{tag}: {shown}");
        }
        assert!(shown.contains("from&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#62;"), "{shown}");
        assert!(shown.contains(r"\u{202e}{{7*7}}") && !shown.contains('\u{202E}'), "{shown}");
        for href in shown.split("href=").skip(1) {
            assert!(href.starts_with("\"/"), "no link but our own: {href}");
        }
    }
    assert!(call.contains("javascript:alert(1)") && call.contains("not a web address"), "{call}");
    let shown: Value = sqlx::query_scalar("select custom_fields from call").fetch_one(&app.db).await.unwrap();
    assert_eq!(shown[script], script, "it is stored as it came");
}

#[tokio::test]
async fn an_event_is_shown_whichever_version_stored_it() {
    let app = start().await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    // In the columns of the version before.
    let before = "insert into call_event (event_id, received_at, body, headers, problems, event, call_id, duration_seconds, notes,
            custom_fields, reason)
        values ('evt_2', now(), '{}', '[]', '{it is odd}', 'call.completed', 'cl_2', 271, 'Callback scheduled', '{\"a\": 1}', 'no reason')";
    sqlx::query(before).execute(&app.db).await.unwrap();
    for (link, only_here) in [("/calls/evt_1", "wrap"), ("/calls/evt_2", "it is odd")] {
        let shown = page(&app, link).await.to_lowercase();
        for text in ["4m 31s", "callback scheduled", only_here] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
    }
    assert!(page(&app, "/calls").await.contains("no reason"));
}
