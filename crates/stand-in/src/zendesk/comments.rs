//! Comments: those that a request adds to a ticket, and the list of those that it has.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Zendesk;
use super::account::{Account, INTEGRATION};
use super::paging::Pages;
use super::refusal;
use super::ticket::{iso, via};
use super::tickets;
use super::uploads::Attachment;
use crate::refusal::Refusal;
use crate::value::{is_time, is_url};

/// A comment on a ticket.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Comment {
    /// The vendor's id.
    pub id: u64,
    /// The user who wrote it.
    pub author_id: u64,
    /// Its text; of a voice comment, the one that the vendor writes.
    pub body: String,
    /// Whether the requester can see it.
    pub public: bool,
    /// The call, where it is a voice comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<VoiceComment>,
    /// Its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// The change that added it.
    pub(super) audit_id: u64,
}

/// What a voice comment says about its call.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VoiceComment {
    /// The number that called.
    pub from: String,
    /// The number that was called.
    pub to: String,
    /// Where the recording is.
    pub recording_url: String,
    /// When the call began, as it was sent.
    pub started_at: String,
    /// Its length in seconds.
    pub call_duration: u64,
    /// The user who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by_id: Option<u64>,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription_text: Option<String>,
    /// Where the caller is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// A comment that a request adds.
pub(super) struct NewComment {
    pub(super) body: String,
    /// None is whatever the ticket's first comment is (comments reference).
    pub(super) public: Option<bool>,
    pub(super) data: Option<VoiceComment>,
    /// The tokens of its files, and the files.
    pub(super) uploads: Vec<String>,
    pub(super) attachments: Vec<Attachment>,
}

impl NewComment {
    pub(super) fn internal(body: String) -> Self {
        Self { body, public: Some(false), data: None, uploads: Vec::new(), attachments: Vec::new() }
    }

    /// `comment` overrides `voice_comment`; a blank one adds none, which is not documented for an update,
    /// and leaves a new ticket without its description.
    pub(super) fn of(
        comment: Option<&Map<String, Value>>,
        voice: Option<&Map<String, Value>>,
    ) -> Result<Option<Self>, Refusal> {
        if let Some(comment) = comment {
            // HTML is kept as it was sent.
            let body = text(comment, "html_body").or_else(|| text(comment, "body"));
            let public = comment.get("public").and_then(Value::as_bool);
            fits("Comment", body.as_deref())?;
            let uploads = uploads(comment)?;
            return Ok(body.map(|body| Self { public, uploads, ..Self::internal(body) }));
        }
        let Some(data) = voice.map(VoiceComment::of).transpose()? else { return Ok(None) };
        fits("Voice comment", data.transcription_text.as_deref())?;
        // `public` is no field of a voice comment.
        Ok(Some(Self { public: Some(true), data: Some(data.clone()), ..Self::internal(data.text()) }))
    }
}

/// The tokens of the comment's files (tickets reference). A voice comment has none.
fn uploads(comment: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let tokens = comment.get("uploads").filter(|tokens| !tokens.is_null());
    let tokens = tokens.map(Vec::deserialize);
    tokens
        .transpose()
        .map(Option::unwrap_or_default)
        .map_err(|_| refusal::wrong_type("ticket.comment.uploads", "an array"))
}

/// Text that says something.
fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Into::into)
}

impl VoiceComment {
    /// All are needed but the agent, who is "not present for voicemails" (audit events reference), and the
    /// two that are called optional (Talk's reference of the same object).
    ///
    /// With which words the rest is refused is not documented.
    fn of(voice: &Map<String, Value>) -> Result<Self, Refusal> {
        let invalid = |what: &str| refusal::invalid("base", &format!("Voice comment: {what}"));
        let needed = |name: &str| text(voice, name).ok_or_else(|| invalid(&format!("{name} is missing")));
        let integer = |name: &str| match voice.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(number) if number.is_u64() => Ok(number.as_u64()),
            Some(_) => Err(invalid(&format!("{name} must be an integer"))),
        };
        let comment = Self {
            from: needed("from")?,
            to: needed("to")?,
            recording_url: needed("recording_url")?,
            started_at: needed("started_at")?,
            call_duration: integer("call_duration")?
                .ok_or_else(|| invalid("call_duration must be an integer"))?,
            answered_by_id: integer("answered_by_id")?,
            transcription_text: text(voice, "transcription_text"),
            location: text(voice, "location"),
        };
        // Documented in whole seconds: what is finer than HTTP clients write is not to be counted on.
        if !is_time(&comment.started_at) {
            return Err(invalid("started_at must be an ISO 8601 date"));
        }
        if !is_url(&comment.recording_url) {
            return Err(invalid("recording_url must be a URL"));
        }
        Ok(comment)
    }

    /// The vendor's own text is not documented, so nothing that a caller could look for is in this one: the
    /// recording is in `data`.
    fn text(&self) -> String {
        let Self { from, to, started_at, call_duration, .. } = self;
        format!("Call from: {from}\nCall to: {to}\nTime of call: {started_at}\nLength: {call_duration} s")
    }
}

/// A comment takes some 65,000 characters, "depending on your encoding/markup" (Zendesk's community): here 64 kB of HTML.
/// With which words a longer one is refused is not documented.
fn fits(what: &str, text: Option<&str>) -> Result<(), Refusal> {
    if text.is_some_and(|text| escaped(text).len() > 65_535) {
        return Err(refusal::invalid("base", &format!("{what}: is too long")));
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Comment {
    /// What the list of comments and the audit have in common (comments and audit events reference).
    pub(super) fn shown(&self, account: &Account) -> Value {
        let escaped = escaped(&self.body);
        let mut shown = json!({
            "id": self.id,
            "type": "Comment",
            "author_id": self.author_id,
            "body": self.body,
            "html_body": format!("<div class=\"zd-comment\" dir=\"auto\"><p>{escaped}</p></div>"),
            "plain_body": self.body,
            "public": self.public,
            "attachments": self.attachments.iter().map(Attachment::shown).collect::<Vec<_>>(),
            "audit_id": self.audit_id,
        });
        if let Some(voice) = &self.data {
            shown["type"] = json!("VoiceComment");
            shown["data"] = json!(voice);
            if let Some(name) = voice.answered_by_id.and_then(|id| account.users.get(&id)) {
                shown["data"]["answered_by_name"] = json!(name);
            }
            // How a number is formatted is not documented.
            shown["formatted_from"] = json!(voice.from);
            shown["formatted_to"] = json!(voice.to);
            shown["transcription_visible"] = json!(voice.transcription_text.is_some());
        }
        shown
    }
}

/// `GET /api/v2/tickets/{id}/comments`, the oldest first unless `sort=-created_at` or `sort_order=desc`.
pub(super) async fn list(
    State(zendesk): State<Zendesk>,
    Path(id): Path<String>,
    pages: Pages,
) -> Result<Json<Value>, Refusal> {
    let id = tickets::number(&id)?;
    zendesk.account.read(|account| {
        let ticket = account.ticket(id)?;
        let shown = |comment: &Comment| {
            let mut shown = comment.shown(account);
            shown["created_at"] = json!(iso(comment.created_at));
            shown["via"] = via(None);
            if comment.author_id != INTEGRATION {
                // Written in a browser.
                shown["via"]["channel"] = json!("web");
            }
            shown["metadata"] = json!({ "system": {}, "custom": {} });
            (comment.id, shown)
        };
        let mut comments: Vec<(u64, Value)> = ticket.comments.iter().map(shown).collect();
        if pages.is("sort", "-created_at") || pages.is("sort_order", "desc") {
            comments.reverse();
        }
        pages.page("comments", &comments).map(Json)
    })
}
