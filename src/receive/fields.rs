//! Reads a JSON object field by field, so that one bad field costs that field and not the call.
//!
//! Each value stays raw until it is asked for: a number past 64 bits or a lone surrogate in one note spoils that note alone.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::event::Party;

/// A body that is no event; its text says what is wrong with it and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Malformed {
    /// The JSON itself is broken.
    #[error("the body is not valid JSON: {0}")]
    Json(String),
    /// It is JSON, but no object.
    #[error("the body must be a JSON object, as in the platform's sample payload")]
    NotAnObject,
    /// A field without which there is no event.
    #[error("`{0}` is missing: it must be a text that is not empty")]
    Missing(&'static str),
}

/// Whether the documentation says that a field is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Expected,
    Optional,
}

/// The fields of one object, and what was wrong with those that were read.
pub(super) struct Fields<'a> {
    raw: HashMap<String, &'a RawValue>,
    pub(super) problems: Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(body: &'a [u8]) -> Result<Self, Malformed> {
        // RFC 8259, section 8.1, lets a parser ignore a byte order mark.
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        match serde_json::from_slice(body) {
            Ok(raw) => Ok(Self { raw, problems: Vec::new() }),
            Err(error) if error.is_data() => Err(Malformed::NotAnObject),
            Err(error) => Err(Malformed::Json(hint(&error))),
        }
    }

    /// A field without which there is no event.
    pub(super) fn required(&mut self, name: &'static str) -> Result<String, Malformed> {
        let text = self.raw.get(name).and_then(|raw| serde_json::from_str::<Text>(raw.get()).ok());
        text.map(String::from).filter(|text| !text.is_empty()).ok_or(Malformed::Missing(name))
    }

    pub(super) fn text(&mut self, name: &str, need: Need) -> Option<String> {
        self.read::<Text>(name, need, "a text").map(String::from)
    }

    pub(super) fn seconds(&mut self, name: &str, need: Need) -> Option<u32> {
        self.read(name, need, "a whole number of seconds")
    }

    pub(super) fn time(&mut self, name: &str, need: Need) -> Option<DateTime<Utc>> {
        self.read::<Time>(name, need, "an ISO-8601 timestamp").map(|time| time.0)
    }

    /// A queue or an agent: an object whose own fields may each be of the wrong form.
    pub(super) fn party(&mut self, name: &str) -> Party {
        const FORM: &str = "an object with id and name";
        let Some(raw) = self.read::<&'a RawValue>(name, Need::Optional, FORM) else {
            return Party::default();
        };
        let Ok(mut fields) = Self::of(raw.get().as_bytes()) else {
            self.problems.push(format!("{name} is not {FORM}"));
            return Party::default();
        };
        let party =
            Party { id: fields.text("id", Need::Optional), name: fields.text("name", Need::Optional) };
        self.problems.extend(fields.problems.iter().map(|problem| format!("{name}.{problem}")));
        party
    }

    pub(super) fn object(&mut self, name: &str) -> Map<String, Value> {
        let object = self.read::<Map<String, Value>>(name, Need::Optional, "an object").unwrap_or_default();
        object.into_iter().map(|(key, value)| (storable(&key), storable_value(value))).collect()
    }

    /// The field, or `None` and, where the documentation wants it, a problem.
    pub(super) fn read<T: Deserialize<'a>>(&mut self, name: &str, need: Need, form: &str) -> Option<T> {
        let raw: &'a str = self.raw.get(name).map_or("null", |raw| raw.get());
        let problem = match (raw, serde_json::from_str(raw)) {
            ("null", _) if need == Need::Optional => return None,
            ("null", _) => format!("{name} is missing"),
            (_, Ok(value)) => return Some(value),
            (_, Err(_)) => format!("{name} is not {form}"),
        };
        self.problems.push(problem);
        None
    }
}

/// Where it broke, and for what people do most often, why.
fn hint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("control character") {
        return format!(
            "a text holds a line break at line {}, column {}: join the lines of a broken value, or write \\n",
            error.line(),
            error.column()
        );
    }
    text
}

/// A text that Postgres can hold; a number is taken as its digits.
#[derive(Deserialize)]
#[serde(from = "RawText")]
struct Text(String);

#[derive(Deserialize)]
#[serde(untagged)]
enum RawText {
    Text(String),
    Number(serde_json::Number),
}

impl From<RawText> for Text {
    fn from(raw: RawText) -> Self {
        match raw {
            RawText::Text(text) => Self(storable(&text)),
            RawText::Number(number) => Self(number.to_string()),
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// A NUL is legal in JSON and can't be held by Postgres' text and jsonb.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

fn storable_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(storable(&text)),
        Value::Array(items) => items.into_iter().map(storable_value).collect(),
        Value::Object(object) => {
            object.into_iter().map(|(key, value)| (storable(&key), storable_value(value))).collect()
        }
        other => other,
    }
}

/// A time within the years that people, Postgres and vendors share; without an offset it is UTC, as documented.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Time(DateTime<Utc>);

impl TryFrom<String> for Time {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let time = text
            .parse::<DateTime<Utc>>()
            .or_else(|_| text.parse::<NaiveDateTime>().map(|time| time.and_utc()))
            .map_err(|_| "no timestamp")?;
        if (1970..=9999).contains(&time.year()) { Ok(Self(time)) } else { Err("too far off") }
    }
}
