//! What Zendesk answers, as far as we read it.

use std::fmt;

use phonenumber::{PhoneNumber, country};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use engine::vendor::code;

#[derive(Deserialize)]
pub(super) struct Ticket {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) status: String,
    pub(super) external_id: Option<String>,
    pub(super) requester_id: Option<u64>,
    /// Sent back as it came, so that Zendesk can tell whether the ticket has changed.
    #[serde(default)]
    pub(super) updated_at: String,
}

#[derive(Deserialize)]
pub(super) struct Tickets {
    pub(super) tickets: Vec<Ticket>,
}

/// The answer to a read, a write, and a create.
#[derive(Deserialize)]
pub(super) struct Updated {
    pub(super) ticket: Option<Ticket>,
    audit: Option<Audit>,
}

#[derive(Deserialize)]
struct Audit {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
}

impl Updated {
    /// Whether the write made a comment.
    pub(super) fn has_comment(&self) -> bool {
        let events = self.audit.as_ref().map(|audit| audit.events.as_slice()).unwrap_or_default();
        events.iter().any(|event| ["Comment", "VoiceComment"].contains(&event.kind.as_str()))
    }
}

#[derive(Deserialize)]
pub(super) struct Comment {
    #[serde(default)]
    pub(super) body: String,
    #[serde(default)]
    pub(super) public: bool,
    pub(super) via: Option<Via>,
    pub(super) data: Option<VoiceData>,
    #[serde(default)]
    pub(super) attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
pub(super) struct Attachment {
    #[serde(default)]
    pub(super) file_name: String,
}

/// The answer to an upload.
#[derive(Deserialize)]
pub(super) struct Uploaded {
    pub(super) upload: Upload,
}

#[derive(Deserialize)]
pub(super) struct Upload {
    pub(super) token: String,
}

#[derive(Deserialize)]
pub(super) struct Users {
    users: Vec<User>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    phone: Option<String>,
}

impl Users {
    /// The one that was made first.
    pub(super) fn first(&self) -> Option<u64> {
        self.users.iter().map(|user| user.id).min()
    }

    /// The first who has this number: a search finds those, too, in whose numbers it stands.
    pub(super) fn with(mut self, number: &PhoneNumber, region: Option<country::Id>) -> Option<u64> {
        self.users.retain(|user| {
            let own = user.phone.as_deref().and_then(|own| phonenumber::parse(region, own).ok());
            own.is_some_and(|own| own.code() == number.code() && own.national() == number.national())
        });
        self.first()
    }
}

/// The answer to a user who is made.
#[derive(Deserialize)]
pub(super) struct Made {
    pub(super) user: User,
}

/// How a comment came about: `api`, `web`, `email` and others.
#[derive(Deserialize)]
pub(super) struct Via {
    #[serde(default)]
    pub(super) channel: String,
}

#[derive(Deserialize)]
pub(super) struct VoiceData {
    pub(super) recording_url: Option<String>,
    pub(super) transcription_text: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Comments {
    #[serde(rename = "comments")]
    pub(super) page: Vec<Comment>,
    links: Option<Links>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Links {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    has_more: bool,
}

impl Comments {
    /// The next page, where there is one.
    pub(super) fn next(self) -> Option<Url> {
        self.meta.filter(|meta| meta.has_more).and(self.links)?.next?.parse().ok()
    }
}

/// An error: `{"error":"RecordInvalid","description":…,"details":…}`, or an object in `error`.
#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    details: Value,
}

impl fmt::Display for Refusal {
    /// Its codes, and the fields that they are about; no description, which quotes what is refused.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(word) = self.error.as_str().or(self.error["title"].as_str()).and_then(code) {
            write!(f, " {word}")?;
        }
        let fields = self.details.as_object().into_iter().flat_map(|details| details.keys());
        let is_name = |field: &&String| {
            field.len() <= 40 && field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        fields.filter(is_name).take(5).try_for_each(|field| write!(f, " {field}"))
    }
}
