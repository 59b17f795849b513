//! Comments: those that a request adds to a ticket, and the list of those that it has.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Uri};
use chrono::{DateTime, Timelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Zendesk;
use super::account::{Account, INTEGRATION};
use super::paging::{Pages, Query as Pairs};
use super::refusal::Refusal;
use super::shown::iso;
use super::tickets;

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
}

impl NewComment {
    pub(super) fn internal(body: String) -> Self {
        Self { body, public: Some(false), data: None }
    }

    /// `comment` overrides `voice_comment`; a blank one adds none, which is not documented for an update,
    /// and leaves a new ticket without its description.
    pub(super) fn of(ticket: &Map<String, Value>) -> Result<Option<Self>, Refusal> {
        if let Some(comment) = object(ticket, "comment")? {
            let text = |name| comment.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            // HTML is kept as it was sent.
            let body = text("html_body").or_else(|| text("body"));
            let public = comment.get("public").and_then(Value::as_bool);
            fits("Comment", body)?;
            return Ok(body.map(|body| Self { body: body.into(), public, data: None }));
        }
        let Some(voice) = object(ticket, "voice_comment")? else { return Ok(None) };
        let data = VoiceComment::of(voice)?;
        fits("Voice comment", data.transcription_text.as_deref())?;
        // `public` is no field of a voice comment.
        Ok(Some(Self { body: data.text(), public: Some(true), data: Some(data) }))
    }
}

impl VoiceComment {
    /// All are needed but the agent, who is "not present for voicemails" (audit events reference), and the
    /// two that are called optional (Talk's reference of the same object).
    ///
    /// With which words the rest is refused is not documented.
    fn of(voice: &Map<String, Value>) -> Result<Self, Refusal> {
        let invalid = |what: &str| Refusal::invalid("base", &format!("Voice comment: {what}"));
        let text = |name: &str| voice.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let needed =
            |name: &str| text(name).map(String::from).ok_or_else(|| invalid(&format!("{name} is missing")));
        let comment = Self {
            from: needed("from")?,
            to: needed("to")?,
            recording_url: needed("recording_url")?,
            started_at: needed("started_at")?,
            call_duration: voice
                .get("call_duration")
                .and_then(Value::as_u64)
                .ok_or_else(|| invalid("call_duration must be an integer"))?,
            answered_by_id: match voice.get("answered_by_id") {
                None | Some(Value::Null) => None,
                Some(id) => Some(id.as_u64().ok_or_else(|| invalid("answered_by_id must be an integer"))?),
            },
            transcription_text: text("transcription_text").map(Into::into),
            location: text("location").map(Into::into),
        };
        // Documented in whole seconds: what is finer than HTTP clients write is not to be counted on.
        let whole_millis = |time: DateTime<_>| time.nanosecond() % 1_000_000 == 0;
        if !DateTime::parse_from_rfc3339(&comment.started_at).is_ok_and(whole_millis) {
            return Err(invalid("started_at must be an ISO 8601 date"));
        }
        let url = &comment.recording_url;
        let is_url = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>".contains(&byte));
        if !is_url || !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
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
        return Err(Refusal::invalid("base", &format!("{what}: is too long")));
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn object<'a>(ticket: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, Refusal> {
    match ticket.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Refusal::wrong_type(&format!("ticket.{name}"), "a hash")),
    }
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
            "attachments": [],
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
    headers: HeaderMap,
    uri: Uri,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    let id = tickets::number(&id)?;
    let pages = Pages::new(&headers, &uri, &query)?;
    zendesk.account.read(|account| {
        let ticket = account.ticket(id)?;
        let shown = |comment: &Comment| {
            let mut shown = comment.shown(account);
            shown["created_at"] = json!(iso(comment.created_at));
            shown["via"] = super::shown::via(None);
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
