//! A call as this platform would deliver it, for `aftercall send` and the line to paste of `cargo run`.

use chrono::{SecondsFormat, TimeDelta, Utc};
use engine::{call::CALL_COMPLETED, platform::Said};
use serde_json::{Map, Value, json};

/// A call that has just ended so, under ids of its own. (Documentation, "Sample JSON payload".)
pub(super) fn sample(status: &str, direction: &str) -> Value {
    let id = format!("{:x}", fastrand::u128(..));
    let now = Utc::now();
    let time =
        |seconds_ago| (now - TimeDelta::seconds(seconds_ago)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let (customer, us) = ("+14085551234", "+14085559876");
    let (from, to) = if direction == "outbound" { (us, customer) } else { (customer, us) };
    let answered = status == "answered";
    let recorded = answered || status == "voicemail";
    json!({
        "event": CALL_COMPLETED, "event_id": format!("evt_{id}"), "occurred_at": time(0), "call_id": format!("cl_{id}"),
        "parent_call_id": null, "direction": direction, "from": from, "to": to, "status": status,
        "reason": (!recorded).then_some("no_answer"),
        "queue": { "id": "q_23", "name": "Support" },
        "agent": answered.then(|| json!({ "id": "ag_102", "name": "Jordan" })),
        "started_at": time(271), "connected_at": answered.then(|| time(251)), "ended_at": time(0),
        "duration_seconds": 271, "talk_time_seconds": if answered { 251 } else { 0 },
        "wrap_up_seconds": if answered { 20 } else { 0 },
        "recording_url": recorded.then(|| format!("https://recordings.example/{id}.mp3")),
        "notes": answered.then_some("Callback scheduled"), "custom_fields": {},
    })
}

/// Puts what is said of a call into an event. (Documentation, "Field reference".)
pub(super) fn write(event: &mut Map<String, Value>, said: &Said) {
    let fields = [
        ("status", &said.status),
        ("direction", &said.direction),
        ("from", &said.from),
        ("to", &said.to),
        ("recording_url", &said.recording_url),
        ("call_id", &said.call_id),
        ("event_id", &said.event_id),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            event.insert(name.to_owned(), value.as_str().into());
        }
    }
    if !said.custom_fields.is_empty() {
        let held = event.entry("custom_fields").or_insert_with(|| json!({}));
        match held.as_object_mut() {
            Some(held) => held.extend(said.custom_fields.clone()),
            None => *held = said.custom_fields.clone().into(),
        }
    }
}
