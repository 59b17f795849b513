//! Files, and the comments that they are attached to.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use stand_in::zendesk;

use crate::desk::{Answer, Desk, OPEN, TICKET, TICKETS, TOKENS, grant};

const UPLOADS: &str = "/api/v2/uploads.json?filename=call.mp3";
const AUDIO: &[u8] = b"ID3 a call";

/// A desk whose caller may send files.
async fn start(zendesk: zendesk::Options) -> Desk {
    let mut desk = Desk::start_with(zendesk).await;
    let mut asked = grant();
    asked["scope"] = json!("tickets:read write");
    desk.token = desk.post(TOKENS, asked).await.body["access_token"].as_str().unwrap().into();
    desk
}

async fn upload(desk: &Desk, path: &str, media_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    desk.send(desk.request("POST", path).header(CONTENT_TYPE, media_type).body(body)).await
}

fn comment(token: &Value) -> Value {
    json!({ "comment": { "body": "The call", "public": false, "uploads": [token] } })
}

#[tokio::test]
async fn a_file_is_attached_to_one_comment_by_its_token() {
    let desk = start(zendesk::Options::default()).await;
    let sent = upload(&desk, UPLOADS, "audio/mpeg", AUDIO).await;
    assert_eq!((sent.status, &sent.body["upload"]["attachment"]["size"]), (201, &json!(AUDIO.len())));
    let token = &sent.body["upload"]["token"];
    let mut late = comment(token);
    late["safe_update"] = json!(true);
    late["updated_stamp"] = json!("2020-01-01T00:00:00Z");
    // What is refused uses nothing up.
    assert_eq!(desk.update(late).await.status, 409);
    assert_eq!(desk.update(comment(token)).await.status, 200);
    let listed = desk.get("/api/v2/tickets/35436/comments.json").await;
    let attachments = &listed.body["comments"][1]["attachments"];
    assert_eq!(attachments[0]["file_name"], "call.mp3");
    assert_eq!(attachments[0]["content_type"], "audio/mpeg");
    let held = desk.stand_in.zendesk().ticket(OPEN).unwrap().comments[1].attachments.clone();
    assert_eq!(held[0].sha256, "648518837c4cd2c29f93bb930e8efa8e9f7441434bc40fd3a3068168109766cd");

    desk.update(comment(token)).await.refused(422, "RecordInvalid", "token");
    desk.update(comment(&json!("none"))).await.refused(422, "RecordInvalid", "token");
    assert_eq!(desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len(), 2);
}

#[tokio::test]
async fn a_new_ticket_has_files_too_and_an_unknown_one_makes_none() {
    let desk = start(zendesk::Options::default()).await;
    let token = upload(&desk, UPLOADS, "audio/mpeg", AUDIO).await.body["upload"]["token"].clone();
    let before = desk.stand_in.zendesk().tickets().len();
    desk.post(TICKETS, json!({ "ticket": comment(&json!("none")) })).await.refused(
        422,
        "RecordInvalid",
        "token",
    );
    assert_eq!(desk.stand_in.zendesk().tickets().len(), before);
    assert_eq!(desk.post(TICKETS, json!({ "ticket": comment(&token) })).await.status, 201);
    let made = desk.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!(made.comments[0].attachments[0].file_name, "call.mp3");
}

#[tokio::test]
async fn a_token_expires() {
    let options = zendesk::Options { upload_lifetime: Duration::ZERO, ..zendesk::Options::default() };
    let desk = start(options).await;
    let token = upload(&desk, UPLOADS, "audio/mpeg", AUDIO).await.body["upload"]["token"].clone();
    desk.update(comment(&token)).await.refused(422, "RecordInvalid", "expired");
}

#[tokio::test]
async fn what_is_no_file_of_its_type_or_too_large_is_refused() {
    let desk = start(zendesk::Options::default()).await;
    for (path, media_type, body, word) in [
        ("/api/v2/uploads?filename=call.mp3", "", AUDIO, "type"),
        ("/api/v2/uploads?filename=call.mp3", "audio/wav", AUDIO, "differ"),
        ("/api/v2/uploads?filename=call.mp3", "application/octet-stream", AUDIO, "differ"),
        ("/api/v2/uploads?filename=call.mp3", "audio/mpeg", b"", "empty"),
    ] {
        upload(&desk, path, media_type, body).await.refused(422, "RecordInvalid", word);
    }
    for path in ["/api/v2/uploads.json", "/api/v2/uploads?filename=", "/api/v2/uploads?filename=call"] {
        upload(&desk, path, "audio/mpeg", AUDIO).await.wrong_type("filename");
    }
    let most = vec![0; 50_000_000];
    assert_eq!(upload(&desk, UPLOADS, "audio/mpeg", most.clone()).await.status, 201);
    // One more byte; of a request that is much too long the answer may be lost with its connection.
    let more = [most, vec![0]].concat();
    upload(&desk, UPLOADS, "audio/mpeg", more).await.refused(413, "AttachmentTooLarge", "50 MB");
}

#[tokio::test]
async fn files_need_the_scope_for_everything_and_comments_an_array() {
    let desk = Desk::start().await;
    let refused = upload(&desk, UPLOADS, "audio/mpeg", AUDIO).await;
    assert_eq!((refused.status, &refused.body["error"]), (403, &json!("insufficient_scope")));
    let wrong = json!({ "ticket": { "comment": { "body": "The call", "uploads": "token" } } });
    desk.send(desk.request("PUT", TICKET).json(&wrong)).await.wrong_type("uploads");
}
