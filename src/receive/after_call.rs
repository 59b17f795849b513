//! The platform whose documentation calls this the after-call webhook: its bytes to a [`Call`]. ★ Another platform: another
//! file like this one.
//!
//! A call is worth more than its form: only `event` and `call_id` must be there. Any other field that is absent or of
//! the wrong type is `None` and leaves a sentence in `problems`. What has nothing of a call is a test of the webhook: stored,
//! and no more.

use std::borrow::Cow;

use askama::Template;
use engine::{
    call::{CALL_COMPLETED, Call, Direction, Status},
    fields::{Fields, Malformed, Need::Expected, Need::Optional},
    platform::{Form, Platform},
};

use super::sample::{sample, write};

/// What the engine must know of it. (Documentation, "cURL mock", "Security & authentication".)
pub const PLATFORM: Platform = Platform {
    name: "after_call",
    parse,
    sample,
    write,
    defaults: &[("WEBHOOK_PATH", "/webhooks/after-call"), ("WEBHOOK_TOKEN_HEADER", "X-Webhook-Token")],
    form,
    // (Documentation, "Troubleshooting": "Sign URLs or fetch via API with auth".)
    recording_header: "Authorization",
};

/// Reads a call from the body of one of its events. (Documentation, "Field reference".)
///
/// # Errors
///
/// [`Malformed`] when the body is no JSON object, or has one of `event` and `call_id` without the other that belongs to it; it
/// says what and where.
pub fn parse(body: &[u8]) -> Result<Call, Malformed> {
    let text = String::from_utf8_lossy(body);
    let mut fields = Fields::of(&text)?;
    if let Cow::Owned(_) = text {
        fields.problems.push("the body is not UTF-8".to_owned());
    }
    // What the button *Send Test* sends is not documented. What has anything of a call is refused, and sent again: taken for a
    // test, a call of another form would be lost in silence.
    let of_a_call = ["event", "call_id", "direction", "from", "to", "duration_seconds"];
    if fields.are_flat() && !of_a_call.iter().any(|name| fields.has(name)) {
        let problems = vec!["it has nothing of a call: taken for a test of the webhook".to_owned()];
        return Ok(Call { event: "test".to_owned(), extra: fields.rest(), problems, ..Call::default() });
    }
    let event = fields.required("event")?;
    let of_a_call = event == CALL_COMPLETED || fields.has("call_id");
    let call_id = if of_a_call {
        fields.required("call_id")?
    } else {
        fields.text("call_id", Optional).unwrap_or_default()
    };
    Ok(Call {
        event,
        call_id,
        // (Documentation, "Idempotency": "Use `event_id` to deduplicate in case of retries".)
        event_id: fields.read("event_id", Expected, "a text").unwrap_or_default(),
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
        // The platform's own cURL sample says wrap_up_notes where its field reference says notes.
        notes: fields.text("notes", Optional).or_else(|| fields.text("wrap_up_notes", Optional)),
        custom_fields: fields.object("custom_fields"),
        // After all others, whose fields are not among it.
        extra: fields.rest(),
        problems: fields.problems,
        ..Call::default()
    })
}

/// What to paste into its form. (Documentation, "Quick start" and "Alternative setup — API".)
fn form(form: &Form) -> String {
    #[derive(Template)]
    #[template(path = "platform_form.txt", escape = "none")]
    struct Filled<'a> {
        form: &'a Form,
    }
    Filled { form }.render().expect("it is texts alone")
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
        let call = parse(body.to_string().as_bytes()).expect("a call");
        let text = "refused, yes: Jordan Smith wants a refund; Jordan Smith; Jordan; +14085551234";
        assert_eq!(call.redact(text), "refused, yes: …; …; …; …");
    }
}
