//! What every platform's body becomes.

use std::{cmp::Reverse, mem};

use chrono::{DateTime, Datelike, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The one event that starts jobs; others are stored. (Documentation, "Field reference": "Always call.completed".)
pub const CALL_COMPLETED: &str = "call.completed";

/// One event of a call, typed. (Documentation: "Field reference".)
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Call {
    /// Unique per delivery and kept over its retries; `sha256:…` of the body where the platform sent no usable one.
    pub event_id: String,
    /// When we had it.
    pub received_at: DateTime<Utc>,
    /// The name of the platform that sent it: `after_call`.
    pub platform: String,
    /// What was not of the documented form.
    pub problems: Vec<String>,

    /// `call.completed`.
    pub event: String,
    /// The call; several events can speak of the same one.
    pub call_id: String,
    /// When the event came about.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The call that this one was transferred from, or the conference that it is part of.
    pub parent_call_id: Option<String>,
    /// Who called whom.
    pub direction: Option<Direction>,
    /// The caller's number, E.164 as a rule; also "anonymous" and the like.
    pub from: Option<String>,
    /// The called number, likewise.
    pub to: Option<String>,
    /// How the call ended.
    pub status: Option<Status>,
    /// Why it was missed or abandoned.
    pub reason: Option<String>,
    /// The queue in which it waited.
    pub queue: Party,
    /// The agent who handled it.
    pub agent: Party,
    /// When it began to ring.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was answered.
    pub connected_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// From start to end.
    pub duration_seconds: Option<u32>,
    /// From answer to end.
    pub talk_time_seconds: Option<u32>,
    /// The agent's work after the call.
    pub wrap_up_seconds: Option<u32>,
    /// Where the recording is; it may expire, and it is the sender's text: see [`recording`](Self::recording).
    pub recording_url: Option<String>,
    /// Recordings that only older events of the call name, newest first. Jobs have them; a delivery has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub older_recordings: Vec<String>,
    /// What the agent wrote.
    pub notes: Option<String>,
    /// What the account maps in the platform's settings.
    pub custom_fields: Map<String, Value>,
    /// What else the platform said: the fields of the body that have none here, by their names there.
    pub extra: Map<String, Value>,
}

/// Who called whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direction {
    /// Somebody called us.
    Inbound,
    /// We called somebody.
    Outbound,
    /// A word that the documentation doesn't list.
    Other(String),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// An agent spoke with the caller.
    Answered,
    /// Nobody took it.
    Missed,
    /// The caller hung up while waiting.
    Abandoned,
    /// The caller left a message.
    Voicemail,
    /// A word that the documentation doesn't list.
    Other(String),
}

/// A queue or an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Party {
    /// The platform's id for it.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

impl Call {
    /// The recording's URL when it is one that a browser may follow, http or https; never `javascript:` and the like.
    #[must_use]
    pub fn recording(&self) -> Option<&str> {
        self.recording_url.as_deref().filter(|url| followable(url))
    }

    /// The number of the one who is not us: the caller of an inbound call, the called of an outbound one.
    #[must_use]
    pub fn other_party(&self) -> Option<&str> {
        match self.direction {
            Some(Direction::Outbound) => self.to.as_deref(),
            _ => self.from.as_deref(),
        }
    }

    /// The text without this call's numbers, names and notes: those stand in the event's row and nowhere else.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let fields = [&self.from, &self.to, &self.notes, &self.agent.name].into_iter().flatten();
        let mut personal: Vec<&str> = fields.map(String::as_str).collect();
        // Nobody knows what is in it.
        self.extra.values().for_each(|value| texts(value, &mut personal));
        // Shorter ones would black out parts of other words, and tell nobody apart.
        personal.retain(|personal| personal.chars().count() >= 4);
        // A name first, and then its parts.
        personal.sort_by_key(|personal| Reverse(personal.len()));
        personal.into_iter().fold(text.to_owned(), |text, personal| text.replace(personal, "…"))
    }

    /// Puts into Postgres' terms what a parser may have left in others: a NUL, which no text there holds, becomes U+FFFD, and a
    /// time that is none of ours is dropped, with a problem.
    pub(crate) fn make_storable(&mut self) {
        let parties =
            [&mut self.queue, &mut self.agent].into_iter().flat_map(|party| [&mut party.id, &mut party.name]);
        let optional = [
            &mut self.parent_call_id,
            &mut self.from,
            &mut self.to,
            &mut self.reason,
            &mut self.recording_url,
            &mut self.notes,
        ];
        parties.chain(optional).flatten().for_each(without_nul);
        [&mut self.event, &mut self.call_id].into_iter().for_each(without_nul);
        self.problems.iter_mut().for_each(without_nul);
        if let Some(Direction::Other(word)) = &mut self.direction {
            without_nul(word);
        }
        if let Some(Status::Other(word)) = &mut self.status {
            without_nul(word);
        }
        [&mut self.custom_fields, &mut self.extra].into_iter().for_each(storable_fields);
        for (name, time) in [
            ("occurred_at", &mut self.occurred_at),
            ("started_at", &mut self.started_at),
            ("connected_at", &mut self.connected_at),
            ("ended_at", &mut self.ended_at),
        ] {
            if time.is_some_and(|time| !(1970..=9999).contains(&time.year())) {
                *time = None;
                self.problems.push(format!("{name} is out of range"));
            }
        }
    }

    /// A custom field as text, where it is a text or a number and not empty.
    #[must_use]
    pub fn custom_field(&self, name: &str) -> Option<String> {
        match self.custom_fields.get(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// Adds all texts that the value holds.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn without_nul(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{FFFD}");
    }
}

fn storable_fields(fields: &mut Map<String, Value>) {
    fields.values_mut().for_each(storable_value);
    if fields.keys().any(|name| name.contains('\0')) {
        let named = mem::take(fields).into_iter();
        *fields = named.map(|(name, value)| (name.replace('\0', "\u{FFFD}"), value)).collect();
    }
}

fn storable_value(value: &mut Value) {
    match value {
        Value::String(text) => without_nul(text),
        Value::Array(values) => values.iter_mut().for_each(storable_value),
        Value::Object(fields) => storable_fields(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a browser may follow a URL that somebody else wrote: http or https; never `javascript:` and the like.
#[must_use]
pub fn followable(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
}

/// Words of the payload and the variants that they are, both ways.
macro_rules! words {
    ($type:ident { $($word:literal => $variant:ident),+ }) => {
        impl From<String> for $type {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_ref())
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }
    };
}

words!(Direction { "inbound" => Inbound, "outbound" => Outbound });
words!(Status { "answered" => Answered, "missed" => Missed, "abandoned" => Abandoned, "voicemail" => Voicemail });
