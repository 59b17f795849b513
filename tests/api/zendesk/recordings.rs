//! With `RECORDINGS=copy` the recording itself is on the ticket, once, and its link where that can't be.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::{Fault, Options, StandIn, zendesk::Comment};

use super::{CLOSED, OPEN, call, run, ticket, voices, with};
use crate::helpers::{
    App, Process, eventually,
    recordings::{Recordings, Say, digest, killed},
};

const SIZE: usize = 300_000;

/// Copies recordings from this host.
async fn copying(recordings: &Recordings, settings: &[(&str, &str)]) -> App {
    let usual = [("RECORDINGS", "copy"), ("RECORDING_HOSTS", &*recordings.host), ("JOB_RETRY_MAX", "1s")];
    let all: Vec<_> = usual.into_iter().chain(settings.iter().copied()).collect();
    with(&all).await
}

/// A call on the open ticket, with this recording.
fn recorded(id: &str, link: &str) -> Value {
    let mut call = call(id, json!(OPEN), "answered", true);
    call["recording_url"] = json!(link);
    call
}

/// The comments of a ticket that have a file.
fn files(app: &App, id: u64) -> Vec<Comment> {
    ticket(app, id).comments.into_iter().filter(|comment| !comment.attachments.is_empty()).collect()
}

async fn note(app: &App) -> String {
    app.text("select coalesce(note, '') from receipt order by created_at desc limit 1").await
}

#[tokio::test]
async fn a_recording_whose_link_is_dead_since_is_on_the_ticket_byte_for_byte() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[("RECORDING_AUTHORIZATION", "Bearer of-the-platform")]).await;
    let call = recorded("1", &recordings.link());
    run(&app, &call).await;
    recordings.say(Say::Status(410));
    let mut again = call.clone();
    again["event_id"] = json!("evt_again");
    run(&app, &again).await;

    let files = files(&app, OPEN);
    assert_eq!(files.len(), 1, "{files:?}");
    let [file] = &*files[0].attachments else { panic!("{files:?}") };
    assert_eq!((file.sha256.clone(), file.size), (digest(SIZE), SIZE as u64));
    assert_eq!(file.content_type, "audio/mpeg");
    let name = file.file_name.strip_prefix("recording-").unwrap().strip_suffix(".mp3").unwrap();
    assert!(name.len() == 16 && name.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    assert!(!files[0].public);
    for said in ["Queue: Support", "Notes: Callback scheduled", "\n[call:cl_1]"] {
        assert!(files[0].body.contains(said), "{}", files[0].body);
    }
    assert!(files[0].body.ends_with("\n[call:cl_1]"));
    assert!(voices(&app, OPEN).is_empty(), "the link would be a second word of it");
    assert!(recordings.heard()[0].to_lowercase().contains("authorization: bearer of-the-platform"));
    assert!(!app.process.log().contains("s3cr3t") && !app.process.log().contains("of-the-platform"));
    assert_eq!(app.count("select count(*) from attempt where reason like '%s3cr3t%'").await, 0);
}

#[tokio::test]
async fn a_recording_that_appears_late_is_awaited_and_said_to_be_and_arrives_once() {
    let recordings = Recordings::saying(&[Say::Status(404), Say::Status(403), Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[]).await;
    app.deliver(&recorded("1", &recordings.link())).await;
    eventually("it is awaited", async || voices(&app, OPEN).len() == 1).await;
    let link = voices(&app, OPEN).remove(0).data.unwrap();
    assert_eq!(link.recording_url, recordings.link());
    assert!(link.transcription_text.unwrap().contains("Recording: it is not there yet"));
    app.all_done().await;
    assert_eq!((files(&app, OPEN).len(), voices(&app, OPEN).len()), (1, 1));
    // It has not failed, so it comes no nearer to being given up, tells nobody, and pauses no vendor.
    assert_eq!(app.count("select count(*) from attempt where failure is not null").await, 0);
    assert_eq!(app.count("select count(*) from attempt where result = 'paused'").await, 2);
    assert!(app.process.logged("wait until it is well again").is_none());
}

#[tokio::test]
async fn a_recording_that_never_appears_leaves_its_link_and_a_note() {
    let recordings = Recordings::saying(&[Say::Status(404)]).await;
    let app = copying(&recordings, &[("RECORDING_WAIT", "2s")]).await;
    run(&app, &recorded("1", &recordings.link())).await;
    assert_eq!((files(&app, OPEN).len(), voices(&app, OPEN).len()), (0, 1));
    let note = note(&app).await;
    assert!(note.contains("only its link") && note.contains("(404)"), "{note}");
    assert!(recordings.heard().len() >= 2);
}

#[tokio::test]
async fn what_can_not_be_copied_leaves_its_link_with_the_cause_and_is_done_at_once() {
    for (say, cause) in [
        (Say::Page, "no audio"),
        (Say::Audio(50_000_001), "larger than 50 MB"),
        (Say::Endless(SIZE), "where it ends"),
        (Say::Status(410), "410"),
        (Say::To("/call.mp3".to_owned()), "redirected"),
    ] {
        let recordings = Recordings::saying(&[say]).await;
        let app = copying(&recordings, &[]).await;
        run(&app, &recorded("1", &recordings.link())).await;
        assert_eq!((files(&app, OPEN).len(), voices(&app, OPEN).len()), (0, 1), "{cause}");
        let note = note(&app).await;
        assert!(note.contains(cause) && note.contains("may expire"), "{note}");
        let text = voices(&app, OPEN).remove(0).data.unwrap().transcription_text.unwrap();
        assert!(text.contains(cause), "{text}");
        assert_eq!(app.count("select count(*) from attempt").await, 1, "{cause}");
    }
}

#[tokio::test]
async fn a_recording_that_breaks_off_ten_times_is_one_file_at_last() {
    let mut says = vec![Say::Cut(SIZE); 10];
    says.push(Say::Audio(SIZE));
    let recordings = Recordings::saying(&says).await;
    let app = copying(&recordings, &[("JOB_RETRY_FIRST", "100ms")]).await;
    run(&app, &recorded("1", &recordings.link())).await;
    let files = files(&app, OPEN);
    assert_eq!((files.len(), files[0].attachments.len()), (1, 1));
    assert_eq!(files[0].attachments[0].sha256, digest(SIZE));
    // By no fault of Zendesk's.
    let own = "select count(*) from attempt where failure = 'failed' and reason like '%recording%broke off%'";
    assert_eq!(app.count(own).await, 10);
    assert_eq!(app.count("select count(*) from attempt where result = 'retry'").await, 10);
}

#[tokio::test]
async fn a_recording_that_stops_coming_costs_its_job_a_try_and_its_vendor_nothing() {
    let recordings = Recordings::saying(&[Say::Stall(SIZE), Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[("JOB_TIMEOUT", "4s")]).await;
    run(&app, &recorded("1", &recordings.link())).await;
    assert_eq!(files(&app, OPEN).len(), 1);
    assert!(app.count("select count(*) from attempt where failure = 'failed'").await >= 1);
    assert_eq!(app.count("select count(*) from attempt where failure <> 'failed'").await, 0);
}

#[tokio::test]
async fn a_worker_that_is_killed_in_the_middle_of_it_leaves_one_file_wherever_that_was() {
    let recordings = Recordings::saying(&[Say::Stall(SIZE), Say::Audio(SIZE)]).await;
    let stand_in = StandIn::start(Options::default()).await.unwrap();
    let client = Options::default().zendesk;
    let settings = [
        ("JOBS", "attach-recording"),
        ("ZENDESK_BASE_URL", &*stand_in.url()),
        ("ZENDESK_CLIENT_ID", &client.client_id),
        ("ZENDESK_CLIENT_SECRET", &client.client_secret),
        ("RECORDINGS", "copy"),
        ("RECORDING_HOSTS", &recordings.host),
    ];
    let app = App::beside(stand_in, Some("receive"), &settings).await;
    let slow = || Fault::slow(Duration::from_secs(30));
    app.deliver(&recorded("1", &recordings.link())).await;

    let worker = app.another("work").await;
    eventually("half of it is sent", async || app.heard("/uploads") == 1).await;
    killed(&app, worker).await;

    app.stand_in.fail(slow().on("/uploads"));
    let worker = app.another("work").await;
    eventually("it is sent, and the answer is on its way", async || app.heard("/uploads") == 2).await;
    killed(&app, worker).await;
    assert!(files(&app, OPEN).is_empty());

    app.stand_in.fail(slow().method("PUT"));
    let worker = app.another("work").await;
    eventually("its comment is written", async || files(&app, OPEN).len() == 1).await;
    killed(&app, worker).await;

    let _last = app.another("work").await;
    app.all_done().await;
    assert_eq!(app.text("select note from receipt").await, "it was there already");
    assert_eq!(files(&app, OPEN)[0].attachments[0].sha256, digest(SIZE));
    assert_eq!(ticket(&app, OPEN).comments.len(), 2, "the customer's, and the call's");
}

#[tokio::test]
async fn lost_answers_and_conflicts_leave_one_file() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[]).await;
    // The second write has a token that was used, or meets a ticket that was changed.
    for (n, meets) in [("0", None), ("1", Some(Fault::status(409).method("PUT")))] {
        let lost = [Fault::lose_reply().on("/uploads"), Fault::lose_reply().method("PUT")];
        lost.into_iter().chain(meets).for_each(|fault| app.stand_in.fail(fault));
        run(&app, &recorded(n, &recordings.link())).await;
        assert_eq!(files(&app, OPEN).len(), 1 + n.parse::<usize>().unwrap());
    }
    let mut voicemail = call("2", json!(null), "voicemail", true);
    voicemail["recording_url"] = json!(recordings.link());
    app.stand_in.fail(Fault::lose_reply().method("POST").on("/tickets"));
    run(&app, &voicemail).await;
    let made = app.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!((made.external_id.as_deref(), files(&app, made.id).len()), (Some("cl_2"), 1));
    let before = app.stand_in.zendesk().tickets().len();
    let mut closed = recorded("3", &recordings.link());
    closed["custom_fields"]["ticket_id"] = json!(CLOSED);
    run(&app, &closed).await;
    closed["event_id"] = json!("evt_again");
    run(&app, &closed).await;
    let follow_up = app.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!((app.stand_in.zendesk().tickets().len(), files(&app, follow_up.id).len()), (before + 1, 1));
}

#[tokio::test]
async fn two_recordings_of_a_call_are_both_on_the_ticket_each_once() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[]).await;
    for (event, path, second) in [("a", "1", 1), ("b", "2", 2), ("c", "1", 3)] {
        let mut call = recorded("1", &format!("http://{}/{path}.mp3?sig={event}", recordings.host));
        call["event_id"] = json!(event);
        call["occurred_at"] = json!(format!("2026-11-24T10:00:0{second}Z"));
        run(&app, &call).await;
    }
    let files = files(&app, OPEN);
    assert_eq!(files.len(), 2, "{files:?}");
    assert_ne!(files[0].attachments[0].file_name, files[1].attachments[0].file_name);
}

#[tokio::test]
async fn a_large_recording_passes_through_without_a_larger_process() {
    let recordings = Recordings::saying(&[Say::Audio(1_000)]).await;
    let app = copying(&recordings, &[]).await;
    run(&app, &recorded("warm", &recordings.link())).await;
    let before = app.process.peak_memory();
    for (id, say) in [
        ("largest", Say::Chunked(49_000_000)),
        ("length", Say::Audio(200_000_000)),
        ("chunked", Say::Chunked(200_000_000)),
    ] {
        recordings.say(say);
        run(&app, &recorded(id, &recordings.link())).await;
    }
    let grown = app.process.peak_memory() - before;
    assert!(grown < 20_000, "{grown} kB");
    let files = files(&app, OPEN);
    // A busy machine may need several tries, of which the first leaves the link.
    assert_eq!(files.len(), 2);
    assert_eq!(app.count("select count(*) from receipt where note like '%larger than 50 MB'").await, 2);
    assert_eq!(files[1].attachments[0].sha256, digest(49_000_000));
    println!("grown by {grown} kB");
}

#[tokio::test]
async fn links_into_this_machine_are_refused_and_nobody_there_hears_of_them() {
    let inside = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let port = inside.host.rsplit_once(':').unwrap().1.to_owned();
    let outside = Recordings::saying(&[Say::To(inside.link())]).await;
    // Named, all of them, as far as a name goes.
    let hosts = format!("{}, localhost:{port}, 127.0.0.1, [::1]:{port}, 169.254.169.254", outside.host);
    let app = copying(&outside, &[("RECORDING_HOSTS", &hosts)]).await;
    let links = [
        (format!("http://127.0.0.1:{port}/1"), "not https"),
        (format!("http://localhost:{port}/2"), "not https"),
        (format!("https://127.0.0.1:{port}/3"), "not public"),
        (format!("https://2130706433:{port}/4"), "not public"),
        (format!("https://0x7f.1:{port}/5"), "not public"),
        (format!("https://0177.0.0.1:{port}/6"), "not public"),
        (format!("https://127.0.0.1.:{port}/7"), "not public"),
        (format!("https://[::1]:{port}/8"), "not public"),
        (format!("https://[::ffff:127.0.0.1]:{port}/9"), "not public"),
        ("https://169.254.169.254/latest/meta-data/".to_owned(), "not public"),
        (format!("https://[::ffff:10.0.0.1]:{port}/11"), "not public"),
        (format!("https://user:word@localhost:{port}/12"), "user"),
        (format!("https://localhost:{port}/13"), "not public"),
        ("https://elsewhere.example/14".to_owned(), "RECORDING_HOSTS"),
        ("https://127.0.0.1:8443/15".to_owned(), "not public"),
        (outside.link(), "not https"),
    ];
    for (at, (link, cause)) in links.iter().enumerate() {
        let id = at.to_string();
        run(&app, &recorded(&id, link)).await;
        let told = note(&app).await;
        assert!(told.contains(cause), "{link}: {told}");
        assert_eq!(voices(&app, OPEN).len(), at + 1, "{link}");
    }
    assert_eq!(inside.heard(), [""; 0]);
    assert_eq!(outside.heard().len(), 1);
    assert_eq!(app.count("select count(*) from attempt where result <> 'done'").await, 0);
    assert!(files(&app, OPEN).is_empty());
}

#[tokio::test]
async fn a_redirect_is_followed_to_a_listed_host_without_the_platforms_credential() {
    let store = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let platform = Recordings::saying(&[Say::To(store.link())]).await;
    let hosts = format!("{},{}", platform.host, store.host);
    let settings = [("RECORDING_HOSTS", &*hosts), ("RECORDING_AUTHORIZATION", "Basic of-the-platform")];
    let app = copying(&platform, &settings).await;
    run(&app, &recorded("1", &platform.link())).await;
    assert_eq!(files(&app, OPEN).len(), 1);
    let asked = |of: &Recordings| of.heard()[0].to_lowercase().contains("authorization:");
    assert_eq!((asked(&platform), asked(&store)), (true, false));
}

#[tokio::test]
async fn a_file_that_zendesk_refuses_is_given_up_with_its_word_and_the_ticket_has_the_link() {
    let recordings = Recordings::saying(&[Say::Audio(SIZE)]).await;
    let app = copying(&recordings, &[]).await;
    app.stand_in.fail(Fault::status(422).on("/uploads"));
    run(&app, &recorded("1", &recordings.link())).await;
    assert_eq!((files(&app, OPEN).len(), voices(&app, OPEN).len()), (0, 1));
    let reason = app.text("select reason from attempt where result = 'given_up'").await;
    assert!(reason.contains("file") && reason.contains("422 RecordInvalid"), "{reason}");

    // A refused one keeps none of the call's others from the ticket.
    app.stand_in.fail(Fault::status(422).on("/uploads"));
    let mut second = recorded("1", &recordings.link().replace("call.mp3", "second.mp3"));
    second["event_id"] = json!("evt_second");
    run(&app, &second).await;
    assert_eq!((files(&app, OPEN).len(), voices(&app, OPEN).len()), (1, 2));
    assert_eq!(app.count("select count(*) from attempt where result = 'given_up'").await, 2);
}

#[tokio::test]
async fn without_hosts_nothing_is_copied_and_the_worker_says_what_to_set() {
    let settings = [
        ("JOBS", "attach-recording"),
        ("ZENDESK_BASE_URL", "https://acme.zendesk.com"),
        ("ZENDESK_CLIENT_ID", "aftercall"),
        ("ZENDESK_CLIENT_SECRET", "secret"),
        ("RECORDINGS", "copy"),
    ];
    Process::refuses("work", &settings, "RECORDING_HOSTS is not set").await;
}
