//! Written and voice comments, and their list.

use serde_json::{Value, json};
use stand_in::zendesk::{self, Edit};

use crate::desk::{Desk, OPEN, TICKETS, voice_comment};

const COMMENTS: &str = "/api/v2/tickets/35436/comments.json";

#[tokio::test]
async fn a_voice_comment_has_the_call_in_its_data() {
    let desk = Desk::start().await;
    let answer = desk.update(json!({ "voice_comment": voice_comment() })).await;
    assert_eq!((answer.status, answer.events()), (200, vec!["VoiceComment"]));
    let listed = desk.get(COMMENTS).await;
    let comment = &listed.body["comments"][1];
    assert_eq!((&comment["type"], &comment["public"]), (&json!("VoiceComment"), &json!(true)));
    assert_eq!(comment["id"], answer.body["audit"]["events"][0]["id"]);
    assert_eq!(comment["audit_id"], answer.body["audit"]["id"]);
    let mut data = voice_comment();
    data["answered_by_name"] = json!("Jordan Ellis");
    for comment in [comment, &answer.body["audit"]["events"][0]] {
        assert_eq!(comment["data"], data);
        assert_eq!(comment["formatted_from"], "+14085551234");
        // Who looks for the recording has to look for it where it is.
        assert!(!comment["body"].as_str().unwrap().contains("cl_1.mp3"));
    }

    let comments = desk.stand_in.zendesk().ticket(OPEN).unwrap().comments;
    let voice = comments[1].data.as_ref().unwrap();
    assert_eq!((comments.len(), comments[0].data.is_none()), (2, true));
    assert_eq!(
        (&*voice.recording_url, voice.call_duration),
        ("https://recordings.example.com/cl_1.mp3", 271)
    );
    assert_eq!((voice.answered_by_id, &*voice.started_at), (Some(28), "2025-08-21T10:58:13Z"));
}

#[tokio::test]
async fn what_a_voice_comment_need_not_have_can_be_left_out() {
    let desk = Desk::start().await;
    let mut voicemail = voice_comment();
    voicemail.as_object_mut().unwrap().remove("answered_by_id");
    voicemail["transcription_text"] = json!("Call me back");
    let created =
        desk.post(TICKETS, json!({ "ticket": { "subject": "Voicemail", "voice_comment": voicemail } })).await;
    assert_eq!((created.status, created.events()[0]), (201, "VoiceComment"));
    let data = &created.body["audit"]["events"][0]["data"];
    assert_eq!((&data["transcription_text"], data.get("answered_by_id")), (&json!("Call me back"), None));
    let ticket = desk.stand_in.zendesk().tickets().pop().unwrap();
    assert_eq!(ticket.comments[0].data.as_ref().unwrap().answered_by_id, None);
}

#[tokio::test]
async fn what_is_wrong_with_a_voice_comment_is_refused_and_changes_nothing() {
    let desk = Desk::start().await;
    for (field, value, word) in [
        ("call_duration", json!("271"), "call_duration must be an integer"),
        ("call_duration", json!(271.5), "call_duration must be an integer"),
        ("from", Value::Null, "from must be a string"),
        ("answered_by_id", json!("ag_102"), "answered_by_id must be an integer"),
        ("duration", json!(271), "duration is unknown"),
    ] {
        let mut voice = voice_comment();
        voice[field] = value;
        desk.update(json!({ "voice_comment": voice, "subject": "Renamed" })).await.wrong_type(word);
    }
    for (field, value, word) in [
        ("call_duration", json!(-1), "call_duration is less than"),
        ("to", json!(""), "to is shorter than 1"),
        ("recording_url", json!("cl_1.mp3"), "recording_url"),
        ("recording_url", json!("ftp://example.com/a.mp3"), "recording_url does not match"),
        ("recording_url", json!("https://example.com/a b.mp3"), "recording_url is not a"),
        ("recording_url", json!("https://example.com/\"a\".mp3"), "recording_url is not a"),
        ("transcription_text", json!("a".repeat(65_536)), "too long"),
        ("started_at", json!("2025-08-21T10:58:13.123456Z"), "started_at does not match"),
        ("started_at", json!("yesterday"), "started_at is not a"),
    ] {
        let mut voice = voice_comment();
        voice[field] = value;
        let answer = desk.update(json!({ "voice_comment": voice, "subject": "Renamed" })).await;
        answer.refused(422, "RecordInvalid", word);
        let detail = &answer.body["details"]["voice_comment"][0];
        assert_eq!((detail["description"].is_string(), &detail["error"]), (true, &json!("InvalidValue")));
    }
    for field in ["from", "to", "recording_url", "started_at", "call_duration"] {
        let mut voice = voice_comment();
        voice.as_object_mut().unwrap().remove(field);
        let answer = desk.update(json!({ "voice_comment": voice })).await;
        answer.refused(422, "RecordInvalid", &format!("{field} is missing"));
        assert_eq!(answer.body["details"]["voice_comment"][0]["error"], "BlankValue");
    }
    let ticket = desk.stand_in.zendesk().ticket(OPEN).unwrap();
    assert_eq!((ticket.comments.len(), &*ticket.subject), (1, "My printer is on fire"));
}

#[tokio::test]
async fn a_comment_has_64_kb_of_html_at_most() {
    let desk = Desk::start().await;
    for (body, status) in [("a".repeat(65_535), 200), ("a".repeat(65_536), 422), ("&".repeat(20_000), 422)] {
        assert_eq!(desk.update(json!({ "comment": { "body": body } })).await.status, status);
    }
}

#[tokio::test]
async fn a_comment_says_whether_it_came_by_the_api_or_from_a_browser() {
    let desk = Desk::start().await;
    desk.update(json!({ "comment": { "body": "A call" } })).await;
    desk.stand_in.zendesk().edit_as_agent(OPEN, Edit::Comment("Called back".into()));
    let listed = desk.get(COMMENTS).await;
    let channels: Vec<&Value> = listed.body["comments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|comment| &comment["via"]["channel"])
        .collect();
    assert_eq!(channels, ["web", "api", "web"]);
}

#[tokio::test]
async fn a_comment_overrides_a_voice_comment() {
    let desk = Desk::start().await;
    let both = json!({ "comment": { "body": "A call", "public": false }, "voice_comment": voice_comment() });
    assert_eq!(desk.update(both).await.events(), ["Comment"]);
    let comments = desk.stand_in.zendesk().ticket(OPEN).unwrap().comments;
    assert_eq!((comments.len(), &*comments[1].body), (2, "A call"));
    assert!(comments[1].data.is_none() && !comments[1].public);
}

#[tokio::test]
async fn a_comment_is_as_public_as_the_first_unless_it_says_otherwise() {
    let desk = Desk::start().await;
    let public = |of: u64| -> Vec<bool> {
        let comments = desk.stand_in.zendesk().ticket(of).unwrap().comments;
        comments.iter().map(|comment| comment.public).collect()
    };
    let id = desk
        .post(TICKETS, json!({ "ticket": { "comment": { "body": "Missed", "public": false } } }))
        .await
        .body["ticket"]["id"]
        .as_u64()
        .unwrap();
    for (of, seen) in [(id, vec![false, false, true, false]), (OPEN, vec![true, true, true, false])] {
        for comment in [
            json!({ "body": "1" }),
            json!({ "body": "2", "public": true }),
            json!({ "body": "3",
            "public": false }),
        ] {
            let update = desk.request("PUT", &format!("/api/v2/tickets/{of}"));
            desk.send(update.json(&json!({ "ticket": { "comment": comment } }))).await;
        }
        assert_eq!(public(of), seen);
    }
}

#[tokio::test]
async fn the_html_of_a_comment_is_escaped() {
    let desk = Desk::start().await;
    desk.update(json!({ "comment": { "body": "<b>A & B</b>" } })).await;
    let comment = &desk.get(COMMENTS).await.body["comments"][1];
    assert_eq!((&comment["body"], &comment["plain_body"]), (&json!("<b>A & B</b>"), &json!("<b>A & B</b>")));
    assert!(comment["html_body"].as_str().unwrap().contains("&lt;b&gt;A &amp; B&lt;/b&gt;"));
}

#[tokio::test]
async fn comments_come_in_pages_by_cursor() {
    let desk = Desk::start().await;
    let ids = with_comments(&desk, 250);
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    let mut next = Some(format!("{COMMENTS}?page[size]=100"));
    while let Some(path) = next {
        let page = desk.get(&path).await;
        assert_eq!(page.body.get("next_page"), None);
        sizes.push(page.body["comments"].as_array().unwrap().len());
        found.extend(listed(&page.body));
        next = page.body["links"]["next"].as_str().map(Into::into);
        assert_eq!(page.body["meta"]["has_more"], next.is_some());
        // The cursor itself, encoded as it must be.
        if let Some(next) = &next {
            let after = page.body["meta"]["after_cursor"].as_str().unwrap();
            assert!(next.contains(&after.replace('=', "%3D")), "{next} lacks {after}");
        }
    }
    assert_eq!((sizes, &found), (vec![100, 100, 50], &ids));

    for query in [
        "page[size]=0",
        "page[size]=many",
        "page[size]=101",
        "page[size]=2&page[after]=x",
        "page[size]=2&page[after]=1%3D%3D",
        "page[after]=1%3D%3D",
        "pagesize=2",
    ] {
        desk.get(&format!("{COMMENTS}?{query}")).await.wrong_type("page");
    }
    // By number: the first.
    let first = desk.get(COMMENTS).await.body;
    assert_eq!((listed(&first).len(), &first["count"], first.get("meta")), (100, &json!(250), None));
}

#[tokio::test]
async fn a_ticket_takes_so_many_comments_and_can_still_be_updated_in_other_ways() {
    assert_eq!(zendesk::Options::default().comment_limit, 5_000);
    let desk = Desk::start_with(zendesk::Options { comment_limit: 2, ..Default::default() }).await;
    let comment = json!({ "comment": { "body": "A call" }, "priority": "high" });
    assert_eq!(desk.update(comment.clone()).await.status, 200);
    let refused = desk.update(comment).await;
    refused.refused(422, "RecordInvalid", "no more comments");
    assert_eq!(refused.body["details"]["comment"][0]["error"], "InvalidValue");
    desk.update(json!({ "voice_comment": voice_comment() })).await.refused(422, "RecordInvalid", "comments");
    assert_eq!(desk.stand_in.zendesk().ticket(OPEN).unwrap().comments.len(), 2);
    assert_eq!(desk.update(json!({ "priority": "low" })).await.events(), ["Change"]);
}

/// Sees to it that the open ticket has so many comments, and returns their ids.
fn with_comments(desk: &Desk, count: usize) -> Vec<u64> {
    for number in 1..count {
        desk.stand_in.zendesk().edit_as_agent(OPEN, Edit::Comment(number.to_string()));
    }
    let comments = desk.stand_in.zendesk().ticket(OPEN).unwrap().comments;
    comments.iter().map(|comment| comment.id).collect()
}

fn listed(body: &Value) -> Vec<u64> {
    let comments = body["comments"].as_array().unwrap();
    comments.iter().map(|comment| comment["id"].as_u64().unwrap()).collect()
}
