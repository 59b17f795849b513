//! What is written on a ticket of a call, and how it is found again.

use std::borrow::Cow;

use askama::Template;
use chrono::SecondsFormat;
use reqwest::Url;
use serde_json::{Value, json};

use engine::{
    call::Call,
    config::Pairs,
    recording,
    vendor::{cut, idempotency_key},
};
use zendesk_api::Comment;

/// A comment takes some 65,000 characters, "depending on your encoding/markup" (Zendesk's community): counted here in bytes
/// of HTML, with room for the marker.
const LONGEST_TEXT: usize = 60_000;

/// For a number, a name, a subject: nobody reads more of one.
const LONGEST_LINE: usize = 250;

/// What a comment has of a recording.
pub enum Recorded {
    /// Its link, and what is to be said of that.
    Link(Option<String>),
    /// The recording itself, which was uploaded under this token.
    File(String),
}

/// A call as a comment: a voice comment where there is a recording, an internal one otherwise, never both.
pub(super) struct Note<'a> {
    call: &'a Call,
    recording: Option<Url>,
    recorded: &'a Recorded,
    answered_by: Option<u64>,
    /// The call's id as Zendesk can hold it: the ticket's `external_id`, and what the marker names.
    pub(super) key: String,
}

impl<'a> Note<'a> {
    pub(super) fn of(call: &'a Call, agents: &Pairs, recorded: &'a Recorded) -> Self {
        let answered_by = call.agent.id.as_ref().and_then(|agent| agents.0.get(agent)?.parse().ok());
        let recording = call.recording().and_then(|url| url.parse().ok());
        Self { call, recording, recorded, answered_by, key: idempotency_key(&call.call_id) }
    }

    /// The ticket's fields that make the comment.
    ///
    /// Of a voice comment's documented fields only its transcription takes what an agent wrote: the others are numbers,
    /// times, the link and the caller's place. (Zendesk's documentation, "Adding voice comments to tickets".)
    pub(super) fn body(&self) -> Value {
        let Self { call, recording, answered_by, .. } = self;
        if let Recorded::File(token) = self.recorded {
            return json!({ "comment": { "body": self.text(), "public": false, "uploads": [token] } });
        }
        let Some(recording) = recording else {
            return json!({ "comment": { "body": self.text(), "public": false } });
        };
        let started_at = call.started_at.unwrap_or(call.received_at);
        let mut voice = json!({
            "from": line(known(call.from.as_deref())),
            "to": line(known(call.to.as_deref())),
            "recording_url": recording::uri(recording),
            "started_at": started_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            // Seconds, as an integer.
            "call_duration": call.duration_seconds.unwrap_or_default(),
            "transcription_text": self.text(),
        });
        if let Some(agent) = answered_by {
            voice["answered_by_id"] = json!(agent);
        }
        json!({ "voice_comment": voice })
    }

    /// Whether a comment is this call's, with its recording where there is one.
    ///
    /// We write by the API, under the marker as the last line, and what is no voice comment internally. People write in a
    /// browser or by mail, and what a caller or an agent said in another call stands before that call's marker.
    pub(super) fn is(&self, comment: &Comment) -> bool {
        if comment.via.as_ref().is_some_and(|via| via.channel != "api") {
            return false;
        }
        match (&self.recording, &comment.data) {
            // Nothing is better than the recording itself.
            _ if self.has_file(comment) => true,
            _ if matches!(self.recorded, Recorded::File(_)) => false,
            (None, None) => !comment.public && self.marks(&comment.body),
            // The call is there, even with its recording.
            (None, Some(voice)) => voice.transcription_text.as_deref().is_some_and(|text| self.marks(text)),
            // The recording is missing.
            (Some(_), None) => false,
            (Some(ours), Some(voice)) => {
                let theirs = voice.recording_url.as_deref().and_then(|url| url.parse().ok());
                theirs.is_some_and(|theirs| recording::are_same(ours, &theirs))
                    // Some platforms have one link for several calls. Without a text it can't be told.
                    && voice.transcription_text.as_deref().is_none_or(|text| self.marks(text))
            }
        }
    }

    /// Whether a comment has this recording of this call as its file.
    fn has_file(&self, comment: &Comment) -> bool {
        let Some(name) = self.file_name() else { return false };
        let is_ours = |name_there: &str| name_there.rsplit_once('.').is_some_and(|(stem, _)| stem == name);
        !comment.public
            && self.marks(&comment.body)
            && comment.attachments.iter().any(|attachment| is_ours(&attachment.file_name))
    }

    /// The recording's name as a file, without the end that says its type.
    pub(super) fn file_name(&self) -> Option<String> {
        Some(format!("recording-{}", recording::key(&self.key, self.recording.as_ref()?)))
    }

    fn marks(&self, text: &str) -> bool {
        text.trim_end().lines().next_back() == Some(self.marker().as_str())
    }

    fn marker(&self) -> String {
        format!("[call:{}]", self.key)
    }

    /// Plain text, which ends with the marker, whatever the lines before it say.
    fn text(&self) -> String {
        let recording = if let Recorded::Link(word) = self.recorded { word.as_deref() } else { None };
        let text = Text { subject: subject(self.call), call: self.call, recording };
        // Writing to a String can't fail.
        let text = text.render().unwrap_or_default();
        format!("{}\n{}", cut(&text, LONGEST_TEXT, html_bytes), self.marker())
    }
}

/// What agents read on a ticket. ★ Its wording stands in `templates/zendesk`.
#[derive(Template)]
#[template(path = "zendesk/note.txt")]
struct Text<'a> {
    subject: String,
    call: &'a Call,
    /// A word beside its link.
    recording: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "zendesk/subject.txt")]
struct Subject<'a> {
    status: &'a str,
    call: &'a Call,
}

/// A line for people: "Missed call from +14085551234".
pub(super) fn subject(call: &Call) -> String {
    let subject = Subject { status: call.status.as_ref().map_or("", AsRef::as_ref), call };
    line(&subject.render().unwrap_or_default()).into_owned()
}

/// A number that is withheld may come as an empty text, which Zendesk doesn't take.
fn known(number: Option<&str>) -> &str {
    number.filter(|number| !number.trim().is_empty()).unwrap_or("unknown")
}

fn line(text: &str) -> Cow<'_, str> {
    cut(text, LONGEST_LINE, |_| 1)
}

/// The bytes of a character in HTML, at most.
fn html_bytes(character: char) -> usize {
    match character {
        '&' | '<' | '>' | '"' | '\'' | '\n' => "&quot;".len(),
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn call(recording: Option<&str>) -> Call {
        let body = json!({ "event": "call.completed", "call_id": "cl_1", "recording_url": recording });
        crate::receive::after_call::parse(body.to_string().as_bytes()).expect("it is an event")
    }

    fn is(call: &Call, comment: Value) -> bool {
        let comment = serde_json::from_value(comment).expect("it is a comment");
        Note::of(call, &Pairs::default(), &Recorded::Link(None)).is(&comment)
    }

    #[test]
    fn a_note_is_known_by_its_last_line_where_we_alone_write() {
        let call = call(None);
        let by_api = json!({ "channel": "api" });
        assert!(is(&call, json!({ "body": "Missed call\n[call:cl_1]", "public": false, "via": by_api })));
        assert!(is(&call, json!({ "body": "Missed call\n[call:cl_1]\n", "public": false })));
        for (body, public, channel) in [
            ("Missed call\n[call:cl_1]", true, "api"),
            ("Missed call\n[call:cl_1]", false, "web"),
            ("Missed call\n[call:cl_1]", false, "email"),
            ("[call:cl_1]\n[call:cl_2]", false, "api"),
            ("As in [call:cl_1]", false, "api"),
            ("", false, "api"),
        ] {
            let comment = json!({ "body": body, "public": public, "via": { "channel": channel } });
            assert!(!is(&call, comment.clone()), "{comment}");
        }
        assert!(is(&call, json!({ "data": { "transcription_text": "Call\n[call:cl_1]" }, "public": true })));
    }

    #[test]
    fn with_a_recording_only_a_comment_with_it_counts() {
        let call = call(Some("https://recordings.example/1.mp3"));
        let voice = |url: &str, text: Option<&str>| json!({ "public": true, "data": { "recording_url": url, "transcription_text": text } });
        assert!(is(&call, voice("https://recordings.example/1.mp3?sig=2", Some("Call\n[call:cl_1]"))));
        assert!(is(&call, voice("https://recordings.example/1.mp3", None)));
        assert!(!is(&call, voice("https://recordings.example/1.mp3", Some("Call\n[call:cl_2]"))));
        assert!(!is(&call, voice("https://recordings.example/2.mp3", Some("Call\n[call:cl_1]"))));
        assert!(!is(&call, json!({ "body": "Voicemail\n[call:cl_1]", "public": false })));
    }
}
