//! Aircall: an event for each step of a call, times in seconds since 1970, ids that are numbers, a token in the body.
//! (Aircall's documentation, "Webhooks" and "Call events".)

use std::ops::Range;

use chrono::{DateTime, Utc};
use engine::{
    call::{CALL_COMPLETED, Call, Direction, Party, Status},
    fields::Malformed,
    platform::{Form, Platform, Said},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What the engine must know of it.
pub const PLATFORM: Platform = Platform {
    name: "aircall",
    parse,
    sample,
    write,
    // Aircall signs nothing.
    defaults: &[("WEBHOOK_PATH", "/webhooks/aircall"), ("WEBHOOK_SIGNATURE", "off")],
    form,
    recording_header: "Authorization",
};

/// The events after which jobs run: the end of a call, and its recording, which is ready some minutes later. Others are
/// stored.
const THAT_START_JOBS: [&str; 2] = ["call.ended", "call.comm_assets_generated"];

/// What admits a delivery, whatever else it says. One with two tokens has none.
#[derive(Deserialize)]
struct Token<'a> {
    #[serde(borrow)]
    token: Option<&'a str>,
}

/// What every delivery holds.
#[derive(Deserialize)]
struct Delivery {
    event: String,
    timestamp: Option<i64>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    id: u64,
    direction: Option<String>,
    raw_digits: Option<String>,
    started_at: Option<i64>,
    answered_at: Option<i64>,
    ended_at: Option<i64>,
    duration: Option<u32>,
    missed_call_reason: Option<String>,
    voicemail: Option<String>,
    recording: Option<String>,
    user: Option<Named>,
    number: Option<Number>,
    #[serde(default)]
    tags: Vec<Named>,
    #[serde(default)]
    comments: Vec<Comment>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
struct Named {
    id: Option<u64>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Number {
    id: Option<u64>,
    name: Option<String>,
    digits: Option<String>,
}

#[derive(Deserialize)]
struct Comment {
    content: Option<String>,
}

/// Where the token stands.
pub fn token(body: &[u8]) -> Option<Range<usize>> {
    let token = serde_json::from_slice::<Token>(body).ok()?.token?;
    let start = token.as_ptr().addr() - body.as_ptr().addr();
    Some(start..start + token.len())
}

fn parse(body: &[u8]) -> Result<Call, Malformed> {
    let Delivery { event, timestamp, data } =
        serde_json::from_slice(body).map_err(|error| Malformed::Json(error.to_string()))?;
    let data = data.ok_or(Malformed::Missing("data"))?;
    let time = |seconds: Option<i64>| seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let status = match (data.answered_at, &data.voicemail, data.missed_call_reason.as_deref()) {
        (Some(_), ..) => Status::Answered,
        (None, Some(_), _) => Status::Voicemail,
        (None, None, Some("abandoned_in_ivr" | "short_abandoned")) => Status::Abandoned,
        (None, None, _) => Status::Missed,
    };
    let (other, ours) = (data.raw_digits, data.number.as_ref().and_then(|number| number.digits.clone()));
    let (from, to) =
        if data.direction.as_deref() == Some("outbound") { (ours, other) } else { (other, ours) };
    // An agent names the ticket by a tag: `ticket:35436`.
    let ticket = data.tags.iter().find_map(|tag| tag.name.as_deref()?.strip_prefix("ticket:"));
    let notes: Vec<_> = data.comments.into_iter().filter_map(|comment| comment.content).collect();
    let party = |id: Option<u64>, name: Option<String>| Party { id: id.map(|id| id.to_string()), name };
    Ok(Call {
        // It has none of its own: a repeat tells of the same step of the call at the same time.
        event_id: format!("{}:{event}:{}", data.id, timestamp.unwrap_or_default()),
        event: if THAT_START_JOBS.contains(&event.as_str()) { CALL_COMPLETED.to_owned() } else { event },
        call_id: data.id.to_string(),
        occurred_at: time(timestamp),
        direction: data.direction.map(Direction::from),
        from,
        to,
        status: Some(status),
        reason: data.missed_call_reason,
        queue: data.number.map_or_else(Party::default, |number| party(number.id, number.name)),
        agent: data.user.map_or_else(Party::default, |user| party(user.id, user.name)),
        started_at: time(data.started_at),
        connected_at: time(data.answered_at),
        ended_at: time(data.ended_at),
        duration_seconds: data.duration,
        recording_url: data.recording.or(data.voicemail),
        notes: (!notes.is_empty()).then(|| notes.join("\n")),
        custom_fields: ticket.map(|ticket| ("ticket".to_owned(), ticket.into())).into_iter().collect(),
        extra: data.extra,
        ..Call::default()
    })
}

fn sample(status: &str, direction: &str) -> Value {
    let now = Utc::now().timestamp();
    let answered = status == "answered";
    json!({
        "resource": "call", "event": "call.ended", "timestamp": now, "token": "",
        "data": {
            "id": Utc::now().timestamp_micros(), "direction": direction, "status": "done", "raw_digits": "+14085551234",
            "started_at": now - 271, "answered_at": answered.then_some(now - 251), "ended_at": now, "duration": 271,
            "missed_call_reason": (status == "abandoned").then_some("abandoned_in_ivr"),
            "voicemail": (status == "voicemail").then_some("https://recordings.example/voicemail.mp3"), "recording": null,
            "user": answered.then(|| json!({ "id": 456, "name": "Jordan" })),
            "number": { "id": 123, "name": "Support", "digits": "+14085559876" }, "tags": [], "comments": [],
        },
    })
}

fn write(event: &mut Map<String, Value>, said: &Said) {
    if let Some(token) = &said.token {
        event.insert("token".to_owned(), token.as_str().into());
    }
    let Some(data) = event.get_mut("data").and_then(Value::as_object_mut) else { return };
    let id = said.call_id.as_ref().and_then(|id| id.parse::<u64>().ok());
    let ticket = said.custom_fields.get("ticket").and_then(Value::as_str);
    let tags = ticket.map(|ticket| json!([{ "name": format!("ticket:{ticket}") }]));
    let fields = [
        ("id", id.map(Value::from)),
        ("direction", said.direction.clone().map(Value::from)),
        ("raw_digits", said.from.clone().map(Value::from)),
        ("recording", said.recording_url.clone().map(Value::from)),
        ("tags", tags),
    ];
    data.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
}

fn form(form: &Form) -> String {
    format!(
        "In Aircall: Integrations & API → Webhook → Install\n\n  URL      {}\n  Events   call.ended, \
         call.comm_assets_generated\n\nAircall shows a token then: put it into WEBHOOK_TOKEN, in place of the one made here.",
        form.webhook
    )
}
