//! 2. Bytes to a [`Call`]. ★ Edit this for another platform.
//!
//! A call is worth more than its form: only `event` and `call_id` must be there. Any other field that is absent or of
//! the wrong type is `None` and leaves a sentence in `problems`. Next on the way: [`store`](super::store).

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::fields::{Fields, Malformed, Need::Expected, Need::Optional};
use crate::call::{Call, Direction, Status};

/// This platform's name, in each of its calls.
const PLATFORM: &str = "after_call";

/// An `event_id` of more bytes than this is no usable key.
const LONGEST_EVENT_ID: usize = 255;

/// Reads a call from the body of one of its events.
///
/// # Errors
///
/// [`Malformed`] when the body is no JSON object, or lacks `event` or `call_id`; it says what and where.
pub fn parse(body: &[u8], received_at: DateTime<Utc>) -> Result<Call, Malformed> {
    let text = String::from_utf8_lossy(body);
    let mut fields = Fields::of(&text)?;
    if let Cow::Owned(_) = text {
        fields.problems.push("the body is not UTF-8".to_owned());
    }
    Ok(Call {
        event: fields.required("event")?,
        call_id: fields.required("call_id")?,
        event_id: event_id(&mut fields, body),
        received_at,
        platform: PLATFORM.to_owned(),
        occurred_at: fields.time("occurred_at", Expected),
        parent_call_id: fields.text("parent_call_id", Optional),
        direction: fields.text("direction", Expected).map(Direction::from),
        from: fields.text("from", Expected),
        to: fields.text("to", Expected),
        status: fields.text("status", Expected).map(Status::from),
        reason: fields.text("reason", Optional),
        queue: fields.party("queue"),
        agent: fields.party("agent"),
        started_at: fields.time("started_at", Expected),
        connected_at: fields.time("connected_at", Optional),
        ended_at: fields.time("ended_at", Expected),
        duration_seconds: fields.seconds("duration_seconds", Expected),
        talk_time_seconds: fields.seconds("talk_time_seconds", Optional),
        wrap_up_seconds: fields.seconds("wrap_up_seconds", Optional),
        recording_url: fields.text("recording_url", Optional),
        older_recordings: Vec::new(),
        // The platform's own cURL sample says wrap_up_notes where its field reference says notes.
        notes: fields.text("notes", Optional).or_else(|| fields.text("wrap_up_notes", Optional)),
        custom_fields: fields.object("custom_fields"),
        // After all others, whose fields are not among it.
        extra: fields.rest(),
        problems: fields.problems,
    })
}

/// The key of deduplication. (Documentation, "Idempotency": "Use `event_id` to deduplicate in case of retries".)
///
/// A retry repeats the body, so where the platform sent no usable id, the body's hash is one.
fn event_id(fields: &mut Fields, body: &[u8]) -> String {
    let usable = |id: &String| !id.is_empty() && id.len() <= LONGEST_EVENT_ID && !id.contains('\0');
    fields
        .read("event_id", Expected, "a text")
        .filter(usable)
        .unwrap_or_else(|| format!("sha256:{}", hex::encode(Sha256::digest(body))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_without_what_the_platform_says_in_fields_that_nobody_knows() {
        let body = json!({
            "event": "call.completed", "call_id": "cl_1", "from": "+14085551234", "agent": { "name": "Jordan" },
            "summary": { "said": ["Jordan Smith wants a refund", "yes"] }, "caller_name": "Jordan Smith",
        });
        let call = parse(body.to_string().as_bytes(), Utc::now()).expect("a call");
        let text = "refused, yes: Jordan Smith wants a refund; Jordan Smith; Jordan; +14085551234";
        assert_eq!(call.redact(text), "refused, yes: …; …; …; …");
    }
}
