//! With `RECORDINGS=copy` the call's recording is a file of HubSpot's, once, and its link where that can't be.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::{Fault, Options, StandIn, hubspot::File};

use super::{beside, the_call, with};
use crate::helpers::{
    App, event, eventually,
    recordings::{Recordings, Say, digest, killed},
};

const SIZE: usize = 300_000;
const URL: &str = "hs_call_recording_url";

/// Copies recordings from this host.
async fn copying(recordings: &Recordings, settings: &[(&str, &str)]) -> App {
    let usual = [("RECORDINGS", "copy"), ("RECORDING_HOSTS", &*recordings.host), ("JOB_RETRY_MAX", "1s")];
    let all: Vec<_> = usual.into_iter().chain(settings.iter().copied()).collect();
    with(&all).await
}

/// An event of the one call, with this recording.
fn recorded(id: &str, link: &str) -> Value {
    let mut event = event(&format!("evt_{id}"), "cl_1");
    event["recording_url"] = json!(link);
    event
}

async fn run(app: &App, event: &Value) {
    app.deliver(event).await;
    app.all_done().await;
}

fn files(app: &App) -> Vec<File> {
    app.stand_in.hubspot().files()
}

/// The file that the one call's recording URL leads to: the only one.
fn the_file(app: &App) -> File {
    let files = files(app);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(the_call(app).recording.as_ref(), Some(&files[0]), "{:?}", the_call(app).properties);
    files[0].clone()
}

async fn note(app: &App) -> String {
    app.text("select coalesce(note, '') from receipt order by created_at desc limit 1").await
}

#[tokio::test]
async fn a_recording_whose_link_is_dead_since_is_in_the_crm_byte_for_byte() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[("RECORDING_AUTHORIZATION", "Bearer of-the-platform")]).await;
    run(&app, &recorded("1", &recordings.link())).await;
    recordings.say(Say::Status(410));
    run(&app, &recorded("2", &recordings.link())).await;

    let file = the_file(&app);
    assert_eq!((file.sha256, file.size), (digest(SIZE), SIZE as u64));
    assert_eq!((&*file.content_type, &*file.access, &*file.folder), ("audio/mpeg", "PRIVATE", "/aftercall"));
    let key = file.name.strip_prefix("recording-").unwrap().strip_suffix(".mp3").unwrap();
    assert!(key.len() == 16 && key.bytes().all(|digit| digit.is_ascii_hexdigit()), "{key}");
    assert_eq!(the_call(&app).contacts.into_values().collect::<Vec<_>>(), ["Dana Whitfield"]);
    assert_eq!((recordings.heard().len(), app.heard("/files/")), (1, 1), "it is fetched and sent once");
    assert_eq!(app.count("select count(*) from receipt where note is null").await, 2);
    assert!(!app.process.log().contains("s3cr3t") && !app.process.log().contains("of-the-platform"));
}

#[tokio::test]
async fn a_recording_that_appears_late_is_awaited_by_a_call_that_is_logged() {
    let recordings = Recordings::saying(&[Say::Status(404), Say::Status(403), Say::Chunked(SIZE)]).await;
    let app = copying(&recordings, &[]).await;
    app.deliver(&recorded("1", &recordings.link())).await;
    eventually("it is awaited", async || {
        app.count("select count(*) from attempt where result = 'paused'").await == 1
    })
    .await;
    assert_eq!((the_call(&app).contacts.len(), files(&app).len()), (1, 0));
    app.all_done().await;
    assert_eq!(the_file(&app).sha256, digest(SIZE));
    assert_eq!(app.count("select count(*) from attempt where failure is not null").await, 0);
}

#[tokio::test]
async fn what_can_not_be_copied_leaves_its_link_with_the_cause_and_is_done_at_once() {
    let recordings = Recordings::saying(&[Say::Page]).await;
    let app = copying(&recordings, &[]).await;
    for (id, link, cause) in [
        ("1", "https://elsewhere.example/1.mp3", "RECORDING_HOSTS"),
        ("2", "https://127.0.0.1:8443/2.mp3", "not public"),
    ] {
        run(&app, &recorded(id, link)).await;
        assert_eq!(the_call(&app).properties[URL], link);
        let note = note(&app).await;
        assert!(note.contains(cause) && note.contains("only its link is here"), "{note}");
    }
    for (say, cause) in [
        (Say::Page, "no audio"),
        (Say::Audio(50_000_001), "50 MB"),
        (Say::Endless(SIZE), "where it ends"),
        (Say::Status(410), "410"),
        (Say::To("/call.mp3".to_owned()), "redirected"),
    ] {
        recordings.say(say);
        run(&app, &recorded(cause, &recordings.link())).await;
        let note = note(&app).await;
        assert!(note.contains(cause), "{note}");
    }
    assert!(files(&app).is_empty());
    assert_eq!(app.count("select count(*) from attempt where result <> 'done'").await, 0);
}

#[tokio::test]
async fn a_recording_that_breaks_off_and_lost_answers_leave_one_file() {
    let recordings = Recordings::saying(&[Say::Cut(SIZE), Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[("JOB_RETRY_FIRST", "100ms")]).await;
    app.stand_in.fail(Fault::slow(Duration::ZERO).on("/files/"));
    app.stand_in.fail(Fault::lose_reply().on("/files/"));
    run(&app, &recorded("1", &recordings.link())).await;
    assert_eq!(the_file(&app).sha256, digest(SIZE));
    assert_eq!(app.heard("/files/"), 3);
    // The first by no fault of HubSpot's.
    let own = "select count(*) from attempt where failure = 'failed' and reason like '%recording%broke off%'";
    assert_eq!(app.count(own).await, 1);
}

#[tokio::test]
async fn a_worker_that_is_killed_in_the_middle_of_it_leaves_one_file() {
    let recordings = Recordings::saying(&[Say::Stall(SIZE), Say::Audio(SIZE)]).await;
    let stand_in = StandIn::start(Options::default()).await.unwrap();
    let settings = [
        ("JOBS", "update-crm"),
        ("HUBSPOT_BASE_URL", &*stand_in.url()),
        ("HUBSPOT_TOKEN", "stand-in"),
        ("HUBSPOT_CONTACT_ID_PROPERTY", "acme_id"),
        ("RECORDINGS", "copy"),
        ("RECORDING_HOSTS", &recordings.host),
    ];
    let app = App::beside(stand_in, Some("receive"), &settings).await;
    let slow = || Fault::slow(Duration::from_secs(30));
    app.deliver(&recorded("1", &recordings.link())).await;

    let worker = app.another("work").await;
    eventually("half of it is sent", async || app.heard("/files/") == 1).await;
    killed(&app, worker).await;
    assert!(files(&app).is_empty());

    app.stand_in.fail(slow().on("/files/"));
    let worker = app.another("work").await;
    eventually("it is there, and the answer is on its way", async || files(&app).len() == 1).await;
    killed(&app, worker).await;
    assert_eq!(the_call(&app).recording, None);

    // The second, which puts it there.
    app.stand_in.fail(slow().on("upsert").every(2));
    let worker = app.another("work").await;
    eventually("it is in the place of the link", async || the_call(&app).recording.is_some()).await;
    killed(&app, worker).await;

    app.stand_in.clear_faults();
    recordings.say(Say::Status(410));
    let _last = app.another("work").await;
    app.all_done().await;
    assert_eq!(note(&app).await, "");
    assert_eq!(the_file(&app).sha256, digest(SIZE));
}

#[tokio::test]
async fn another_recording_of_the_call_takes_the_place_of_the_first() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[]).await;
    for (id, minute) in [("1", 1), ("2", 2)] {
        let mut event = recorded(id, &format!("http://{}/{id}.mp3", recordings.host));
        event["occurred_at"] = json!(format!("2026-11-24T10:0{minute}:00Z"));
        run(&app, &event).await;
    }
    let files = files(&app);
    assert_eq!(files.len(), 2);
    assert_eq!(the_call(&app).recording, Some(files[1].clone()));
}

#[tokio::test]
async fn a_key_that_may_send_no_files_is_named_and_the_call_has_the_link() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let hubspot = stand_in::hubspot::Options { without_files: true, ..Default::default() };
    let settings = [("RECORDINGS", "copy"), ("RECORDING_HOSTS", &*recordings.host)];
    let app = beside(hubspot, &settings).await;
    run(&app, &recorded("1", &recordings.link())).await;
    assert_eq!((the_call(&app).contacts.len(), files(&app).len()), (1, 0));
    let reason = app.text("select reason from attempt where result = 'given_up'").await;
    assert!(reason.contains("recording's file") && reason.contains("403 MISSING_SCOPES"), "{reason}");
    assert!(reason.contains("and files for recordings"), "{reason}");
}

#[tokio::test]
async fn without_the_setting_the_call_has_the_link_and_nothing_else_is_asked() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let app = with(&[("RECORDING_HOSTS", &*recordings.host)]).await;
    run(&app, &recorded("1", "https://recordings.example/1.mp3")).await;
    assert_eq!(the_call(&app).properties[URL], "https://recordings.example/1.mp3");
    assert_eq!((recordings.heard().len(), app.heard("/files/"), app.heard("/calls/cl_1")), (0, 0, 0));
    assert_eq!(app.count("select count(*) from receipt where note is null").await, 1);
}
