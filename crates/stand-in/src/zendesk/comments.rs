//! Comments: those that a request adds to a ticket, and the list of those that it has.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Zendesk;
use super::account::{Account, INTEGRATION};
use super::attributes::{check_query, typed};
use super::paging::Pages;
use super::refusal;
use super::ticket::{iso, via};
use super::tickets;
use super::uploads::Attachment;
use crate::refusal::Refusal;

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
#[derive(Default, Deserialize)]
pub(super) struct NewComment {
    pub(super) body: String,
    /// None is whatever the ticket's first comment is (comments reference).
    pub(super) public: Option<bool>,
    #[serde(skip)]
    pub(super) data: Option<VoiceComment>,
    /// The tokens of its files, and the files. A voice comment has none.
    #[serde(default)]
    pub(super) uploads: Vec<String>,
    #[serde(skip)]
    pub(super) attachments: Vec<Attachment>,
}

impl NewComment {
    pub(super) fn internal(body: String) -> Self {
        Self { body, public: Some(false), ..Self::default() }
    }

    /// `comment` overrides `voice_comment`.
    pub(super) fn of(comment: Option<Value>, voice: Option<Value>) -> Result<Option<Self>, Refusal> {
        if let Some(comment) = typed::<Self>(comment)? {
            fits("comment", &comment.body)?;
            return Ok(Some(comment));
        }
        let Some(data) = typed::<VoiceComment>(voice)? else { return Ok(None) };
        fits("voice_comment", data.transcription_text.as_deref().unwrap_or_default())?;
        // `public` is no field of a voice comment.
        Ok(Some(Self { public: Some(true), body: data.text(), data: Some(data), ..Self::default() }))
    }
}

impl VoiceComment {
    /// The vendor's own text is not documented, so nothing that a caller could look for is in this one: the
    /// recording is in `data`.
    fn text(&self) -> String {
        let Self { from, to, started_at, call_duration, .. } = self;
        format!("Call from: {from}\nCall to: {to}\nTime of call: {started_at}\nLength: {call_duration} s")
    }
}

/// A comment takes some 65,000 characters, "depending on your encoding/markup" (Zendesk's community): here 64 kB of HTML.
/// With which words a longer one is refused is not documented.
fn fits(what: &str, text: &str) -> Result<(), Refusal> {
    if escaped(text).len() > 65_535 {
        return Err(refusal::invalid(what, &format!("{what} is too long")));
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

/// `GET /api/v2/tickets/{id}/comments`, the oldest first.
pub(super) async fn list(
    State(zendesk): State<Zendesk>,
    Path(id): Path<String>,
    pages: Pages,
) -> Result<Json<Value>, Refusal> {
    let id = tickets::number(&id)?;
    check_query(&pages.query, &tickets::LIST)?;
    zendesk.account.read(|account| {
        let shown = |comment: &Comment| {
            let mut shown = comment.shown(account);
            shown["created_at"] = json!(iso(comment.created_at));
            shown["via"] = via(None);
            if comment.author_id != INTEGRATION {
                // Written in a browser.
                shown["via"]["channel"] = json!("web");
            }
            shown["metadata"] = json!({ "system": {}, "custom": {} });
            shown
        };
        let comments: Vec<_> =
            account.ticket(id)?.comments.iter().map(|comment| (comment.id, comment)).collect();
        pages.page("comments", &comments, |comment| shown(comment)).map(Json)
    })
}
