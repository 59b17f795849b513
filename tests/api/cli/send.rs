//! `aftercall send`.

use crate::{
    cli::{changed, program, settings},
    helpers::{App, Ran, SAMPLE, TOKEN, run},
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
