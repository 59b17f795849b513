//! What is written on a ticket of a call, and how it is found again.

use std::fmt::Write;

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::wire::Comment;
use crate::{
    config::Pairs,
    receive::event::{CallEvent, Status},
};

/// A call as a comment: a voice comment where there is a recording, an internal one otherwise, never both.
pub(super) struct Note<'a> {
    call: &'a CallEvent,
    recording: Option<&'a str>,
    answered_by: Option<u64>,
}

impl<'a> Note<'a> {
    pub(super) fn of(call: &'a CallEvent, agents: &Pairs) -> Self {
        let answered_by = call.agent.id.as_ref().and_then(|agent| agents.0.get(agent)?.parse().ok());
        Self { call, recording: call.recording(), answered_by }
    }

    /// The ticket's fields that make the comment.
    pub(super) fn body(&self) -> Value {
        let Self { call, recording, answered_by } = self;
        let Some(recording) = recording else {
            return json!({ "comment": { "body": self.text(), "public": false } });
        };
        let started_at = call.started_at.unwrap_or(call.received_at);
        let mut voice = json!({
            "from": call.from.as_deref().unwrap_or("unknown"),
            "to": call.to.as_deref().unwrap_or("unknown"),
            "recording_url": recording,
            "started_at": started_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            // Seconds, as an integer.
            "call_duration": call.duration_seconds.unwrap_or_default(),
        });
        if let Some(agent) = answered_by {
            voice["answered_by_id"] = json!(agent);
        }
        json!({ "voice_comment": voice })
    }

    /// Whether a comment is this call's: it bears its marker or its recording.
    pub(super) fn is(&self, comment: &Comment) -> bool {
        let linked = comment.data.as_ref().and_then(|data| data.recording_url.as_deref());
        let same_recording =
            self.recording.zip(linked).is_some_and(|(ours, theirs)| unsigned(ours) == unsigned(theirs));
        same_recording || comment.body.contains(&self.marker())
    }

    fn marker(&self) -> String {
        format!("[call:{}]", self.call.call_id)
    }

    /// Plain text: Zendesk escapes it.
    fn text(&self) -> String {
        let call = self.call;
        let mut text = subject(call);
        let lines = [
            ("Queue", call.queue.name.as_deref()),
            ("Agent", call.agent.name.as_deref()),
            ("Reason", call.reason.as_deref()),
            ("Notes", call.notes.as_deref()),
        ];
        for (label, value) in lines.into_iter().filter_map(|(label, value)| Some((label, value?))) {
            // Writing to a String can't fail.
            let _infallible = write!(text, "\n{label}: {value}");
        }
        text + "\n" + &self.marker()
    }
}

/// The link without what signs it: signed again, it is no other recording.
fn unsigned(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// A line for people: "Missed call from +14085551234".
pub(super) fn subject(call: &CallEvent) -> String {
    let kind = match &call.status {
        Some(Status::Missed) => "Missed call",
        Some(Status::Abandoned) => "Abandoned call",
        Some(Status::Voicemail) => "Voicemail",
        Some(Status::Answered | Status::Other(_)) | None => "Call",
    };
    format!("{kind} from {}", call.from.as_deref().unwrap_or("an unknown number"))
}
