//! `aftercall send`.

use stand_in::Fault;

use crate::{
    cli::{changed, program, settings},
    helpers::{App, REPORTS, Ran, SAMPLE, TOKEN, database, run},
};

/// What a sender on the receiver's own machine has set.
fn beside(app: &App) -> Vec<(String, String)> {
    settings([("LISTEN_ADDR", app.process.address()), ("WEBHOOK_TOKEN", TOKEN)])
}

/// The event's id in the first line.
fn event_id(ran: &Ran) -> &str {
    ran.out.split_whitespace().find(|word| word.starts_with("evt_")).unwrap()
}

#[tokio::test]
async fn a_call_that_is_sent_is_stored() {
    let app = App::receiver(&[]).await;
    let ran = program(&["send"], &beside(&app)).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let id = event_id(&ran);
    assert!(ran.out.contains(&format!("--> call.completed {id}  {}", app.url())), "{ran:?}");
    assert!(ran.out.contains(&format!("<-- 200 stored {id} (")), "{ran:?}");
    assert_eq!(app.text("select event_id from call_event").await, id);
    assert_eq!(app.text("select status from call_event").await, "answered");
    assert_eq!(app.count("select count(*) from stored_event where problems = '{}'").await, 1);
}

#[tokio::test]
async fn two_calls_are_two_and_one_event_id_is_one() {
    let app = App::receiver(&[]).await;
    for arguments in [&["send"][..], &["send"], &["send", "--event-id", "evt_1"]] {
        assert_eq!(program(arguments, &beside(&app)).await.code, 0);
    }
    let again = program(&["send", "--event-id", "evt_1"], &beside(&app)).await;
    assert!(again.code == 0 && again.out.contains("<-- 200 duplicate evt_1"), "{again:?}");
    assert_eq!(app.count("select count(*) from call_event").await, 3);
    assert_eq!(app.count("select count(distinct call_id) from call_event").await, 3);
}

#[tokio::test]
async fn flags_say_what_the_call_says() {
    let app = App::receiver(&[]).await;
    let flags = "send --status missed --direction outbound --from +442079460000 --to +442079460001 \
                 --recording https://recordings.example/1.mp3 --field case=7 --field crm_id=ACME-1 --call-id cl_1 --event-id evt_1";
    let flags: Vec<_> = flags.split_whitespace().collect();
    let ran = program(&flags, &beside(&app)).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let row =
        "select concat_ws(' ', event_id, call_id, status, direction, from_number, to_number, recording_url,
        custom_fields ->> 'case', custom_fields ->> 'crm_id') from call_event";
    let expected =
        "evt_1 cl_1 missed outbound +442079460000 +442079460001 https://recordings.example/1.mp3 7 ACME-1";
    assert_eq!(app.text(row).await, expected);
}

#[tokio::test]
async fn a_file_is_sent_as_it_is_and_flags_replace_its_fields() {
    let app = App::receiver(&[]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), SAMPLE).unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(program(&["send", "--file", path], &beside(&app)).await.code, 0);
    assert_eq!(app.text("select convert_from(body, 'UTF8') from call_event").await, SAMPLE);

    let ran =
        run(&["send", "--file", "-", "--event-id", "evt_2", "--field", "ticket_id=7"], &beside(&app), SAMPLE)
            .await;
    assert!(ran.out.contains("<-- 200 stored evt_2"), "{ran:?}");
    let second = "select concat_ws(' ', call_id, custom_fields ->> 'ticket_id', custom_fields ->> 'crm_id')
        from call_event where event_id = 'evt_2'";
    assert_eq!(app.text(second).await, "cl_8fKQ92 7 ACME-4451");

    let ran = run(&["send", "--file", "-"], &beside(&app), "no JSON").await;
    assert!(ran.code == 1 && ran.out.contains("<-- 400 "), "it is sent all the same: {ran:?}");
    let ran = run(&["send", "--file", "-", "--field", "ticket_id=7"], &beside(&app), "no JSON").await;
    assert!(ran.code == 1 && ran.err.contains("the file holds none"), "{ran:?}");
}

#[tokio::test]
async fn it_signs_with_the_key_that_the_receiver_requires() {
    let key = "the-key-of-the-signature";
    let app = App::receiver(&[("WEBHOOK_SIGNING_SECRET", key)]).await;
    let ran = program(&["send"], &changed(&beside(&app), "WEBHOOK_SIGNING_SECRET", key)).await;
    assert!(ran.code == 0 && ran.out.contains("<-- 200 stored"), "{ran:?}");

    let ran = program(&["send"], &changed(&beside(&app), "WEBHOOK_SIGNATURE", "off")).await;
    assert!(ran.code == 1 && ran.out.contains("<-- 403 no signature"), "{ran:?}");
    let ran = program(&["send"], &changed(&beside(&app), "WEBHOOK_SIGNING_SECRET", "another")).await;
    assert!(ran.code == 1 && ran.out.contains("<-- 401 wrong signature"), "{ran:?}");
    assert_eq!(app.count("select count(*) from call_event").await, 1);
}

#[tokio::test]
async fn basic_auth_is_sent_where_there_is_no_token() {
    let credential = [("WEBHOOK_BASIC_USER", "platform"), ("WEBHOOK_BASIC_PASSWORD", "a-long-password!")];
    let app = App::receiver(&[credential[0], credential[1], ("WEBHOOK_TOKEN", "")]).await;
    let ran = program(&["send", "--url", &app.url()], &settings(credential)).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn what_is_not_200_fails_with_what_to_do() {
    let app = App::receiver(&[("WEBHOOK_MAX_BODY", "1000")]).await;
    let usual = beside(&app);
    let elsewhere = app.process.url("/elsewhere");
    let long = "x".repeat(1000);
    let cases = [
        (&["send"][..], changed(&usual, "WEBHOOK_TOKEN", "another"), "401", "compare WEBHOOK_TOKEN"),
        // Without the one that a `cargo run` on this machine may have made.
        (
            &["send"],
            changed(&changed(&usual, "WEBHOOK_TOKEN", ""), "DEV_NAME", "aftercall-test-none"),
            "403",
            "WEBHOOK_ALLOWED_IPS",
        ),
        (&["send", "--url", &elsewhere], usual.clone(), "404", "WEBHOOK_PATH"),
        (&["send", "--recording", &long], usual.clone(), "413", "WEBHOOK_MAX_BODY"),
    ];
    for (arguments, settings, status, to_do) in cases {
        let ran = program(arguments, &settings).await;
        assert!(ran.code == 1 && ran.out.contains(&format!("<-- {status} ")), "{status}: {ran:?}");
        assert!(ran.err.contains(to_do), "{status}: {ran:?}");
    }
    sqlx::query("alter table call_event rename to gone").execute(&app.db).await.unwrap();
    let ran = program(&["send"], &usual).await;
    assert!(ran.code == 1 && ran.out.contains("<-- 503 ") && ran.err.contains("aftercall doctor"), "{ran:?}");
}

#[tokio::test]
async fn where_nobody_listens_it_says_so() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ran = program(&["send"], &settings([("LISTEN_ADDR", free.as_str()), ("WEBHOOK_TOKEN", TOKEN)])).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("refused") && ran.err.contains("aftercall receive"), "{ran:?}");
}

#[tokio::test]
async fn a_call_that_is_followed_is_shown_with_what_each_job_made_and_fails_where_one_does() {
    let app = App::start().await;
    let beside = [beside(&app), settings([("DATABASE_URL", app.setting("DATABASE_URL"))])].concat();
    let ran = program(&["send", "--follow"], &beside).await;
    let id = event_id(&ran);
    assert!(
        ran.code == 0 && ran.out.contains(&format!("    report-call done: delivery {id}:report-call")),
        "{ran:?}"
    );
    assert!(ran.out.lines().last().unwrap().ends_with(" ms)"), "{ran:?}");

    app.leaves_jobs();
    app.stand_in.fail(Fault::status(422).on(REPORTS));
    let ran = program(&["send", "--follow"], &beside).await;
    assert!(
        ran.code == 1 && ran.out.contains("    report-call given up: REPORT_URL answered 422"),
        "{ran:?}"
    );
    assert!(ran.err.contains("not all is done"), "{ran:?}");

    app.stand_in.fail(Fault::status(503).on(REPORTS).endless());
    let ran = program(&["send", "--follow", "1"], &beside).await;
    assert!(
        ran.code == 1 && ran.out.contains("    report-call retrying: REPORT_URL answered 503"),
        "{ran:?}"
    );
    assert!(ran.err.contains("not done after 1 s: report-call."), "{ran:?}");

    let elsewhere = changed(&beside, "DATABASE_URL", &database::create().await);
    let ran = program(&["send", "--follow"], &elsewhere).await;
    assert!(ran.code == 1 && ran.err.contains("the event is not in the database of DATABASE_URL"), "{ran:?}");

    let test = run(&["send", "--follow", "--file", "-"], &beside, "{}").await;
    assert!(test.code == 0 && test.out.contains("    it starts no job"), "{test:?}");
}

#[tokio::test]
async fn a_file_of_many_calls_is_sent_call_by_call_and_what_is_refused_is_told_with_its_line() {
    let app = App::receiver(&[]).await;
    let call =
        |id: usize| format!(r#"{{"event":"call.completed","event_id":"evt_{id}","call_id":"cl_{id}"}}"#);
    let lines = [
        call(1),
        call(2),
        String::new(),
        call(1),
        "{\"event\":\"call.completed\"}".to_owned(),
        "{".to_owned(),
        call(3),
    ];
    let sent = run(&["send", "--file", "-"], &beside(&app), &lines.join("\n")).await;
    assert_eq!(sent.code, 1, "{sent:?}");
    assert!(sent.out.contains("line 5 refused: 400 `call_id` is missing"), "{sent:?}");
    assert!(sent.out.contains("line 6 refused: 400 the body is not valid JSON"), "{sent:?}");
    assert!(sent.out.ends_with("6 calls: 3 stored, 1 duplicate, 2 refused\n"), "{sent:?}");

    let array = format!("[{},\n{}]", call(3), call(4));
    let again = run(&["send", "--file", "-"], &beside(&app), &array).await;
    assert_eq!(
        (again.code, again.out.as_str()),
        (0, "2 calls: 1 stored, 1 duplicate, 0 refused\n"),
        "{again:?}"
    );
    assert_eq!(app.count("select count(*) from call_event").await, 4);

    let wrong = changed(&beside(&app), "WEBHOOK_TOKEN", "wrong");
    let refused = run(&["send", "--file", "-"], &wrong, &array).await;
    assert!(refused.code == 1 && refused.err.contains("401: compare WEBHOOK_TOKEN"), "{refused:?}");
    let page = format!("{}/sink/page", app.stand_in.url());
    let elsewhere = run(&["send", "--file", "-", "--url", &page], &beside(&app), &array).await;
    assert!(elsewhere.code == 1 && elsewhere.err.contains("not the answer of a receiver"), "{elsewhere:?}");
    assert!(elsewhere.out.contains("0 stored"), "{elsewhere:?}");
    let flags = run(&["send", "--file", "-", "--status", "missed"], &beside(&app), &array).await;
    assert!(flags.code == 1 && flags.err.contains("flags replace the fields of one call"), "{flags:?}");
}

#[tokio::test]
async fn a_file_that_is_sent_while_the_database_is_away_waits_for_it_and_is_sent_whole() {
    let app = App::receiver(&[]).await;
    let lines: Vec<_> = (0..40)
        .map(|id| format!(r#"{{"event":"call.completed","event_id":"evt_{id}","call_id":"cl_{id}"}}"#))
        .collect();
    sqlx::raw_sql("alter table call_event rename to hidden").execute(&app.db).await.unwrap();
    let settings = beside(&app);
    let sending =
        tokio::spawn(async move { run(&["send", "--file", "-"], &settings, &lines.join("\n")).await });
    app.process.says("<-- 503").await;
    sqlx::raw_sql("alter table hidden rename to call_event").execute(&app.db).await.unwrap();
    let sent = sending.await.unwrap();
    assert_eq!(
        (sent.code, sent.out.as_str()),
        (0, "40 calls: 40 stored, 0 duplicate, 0 refused\n"),
        "{sent:?}"
    );
}
