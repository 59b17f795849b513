//! Reads a JSON object field by field, so that one bad field costs that field and not the call.
//!
//! Each value stays raw until it is asked for: what is wrong with one note spoils that note alone. How raw JSON becomes
//! what Postgres can hold stands in `values`.

mod values;

use std::{collections::HashMap, mem};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::call::Party;
use values::{Lossy, Text, Time, custom, storable};

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
    /// The parser failed over it.
    #[error("the parser of this receiver fails on this body, and its log says where")]
    Panicked,
}

/// What is kept as it comes and has more bytes than this together, custom fields first, keeps its texts and numbers, but no
/// objects and lists: those grow a hundredfold when they are read, and nobody maps a field to so much.
pub(crate) const LARGEST_TREE: usize = 8 * 1024;

/// Whether the documentation says that a field is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It is: its absence is a problem.
    Expected,
    /// It is not.
    Optional,
}

/// The fields of one object that nobody has read yet, and what was wrong with those that were.
pub struct Fields<'a> {
    raw: HashMap<Lossy, &'a RawValue>,
    /// What was not of the documented form, a sentence each.
    pub problems: Vec<String>,
    /// The bytes that objects and lists may still have.
    trees: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a JSON object.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn of(body: &'a str) -> Result<Self, Malformed> {
        // RFC 8259, section 8.1, lets a parser ignore a byte order mark.
        let body = body.strip_prefix('\u{FEFF}').unwrap_or(body);
        match serde_json::from_str(body) {
            Ok(raw) => Ok(Self { raw, problems: Vec::new(), trees: LARGEST_TREE }),
            Err(error) if error.is_data() => Err(Malformed::NotAnObject),
            Err(error) => Err(Malformed::Json(hint(&error))),
        }
    }

    /// Whether it is there, and not null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.raw.get(name).is_some_and(|raw| raw.get() != "null")
    }

    /// Whether no value is an object or an array.
    #[must_use]
    pub fn are_flat(&self) -> bool {
        self.raw.values().all(|raw| !raw.get().starts_with(['{', '[']))
    }

    /// A field without which there is no event.
    ///
    /// # Errors
    ///
    /// It is missing, empty, or no text.
    pub fn required(&mut self, name: &'static str) -> Result<String, Malformed> {
        let text = self.raw.remove(name).and_then(|raw| serde_json::from_str::<Text>(raw.get()).ok());
        text.map(String::from).filter(|text| !text.is_empty()).ok_or(Malformed::Missing(name))
    }

    /// A text; a number is its digits.
    pub fn text(&mut self, name: &str, need: Need) -> Option<String> {
        self.read::<Text>(name, need, "a text").map(String::from)
    }

    /// A whole number of seconds.
    pub fn seconds(&mut self, name: &str, need: Need) -> Option<u32> {
        self.read(name, need, "a whole number of seconds")
    }

    /// A time as ISO 8601 writes it.
    pub fn time(&mut self, name: &str, need: Need) -> Option<DateTime<Utc>> {
        self.read::<Time>(name, need, "an ISO-8601 timestamp").map(|time| time.0)
    }

    /// A queue or an agent: an object whose own fields may each be of the wrong form.
    pub fn party(&mut self, name: &str) -> Party {
        const FORM: &str = "an object with id and name";
        let Some(raw) = self.read::<&'a RawValue>(name, Need::Optional, FORM) else {
            return Party::default();
        };
        let Ok(mut fields) = Self::of(raw.get()) else {
            self.problems.push(format!("{name} is not {FORM}"));
            return Party::default();
        };
        let party =
            Party { id: fields.text("id", Need::Optional), name: fields.text("name", Need::Optional) };
        self.problems.extend(fields.problems.iter().map(|problem| format!("{name}.{problem}")));
        party
    }

    /// An object of anything, as Postgres can hold it: a field that can't be kept costs none of the others.
    pub fn object(&mut self, name: &str) -> Map<String, Value> {
        const FORM: &str = "an object";
        let Some(raw) = self.read::<&'a RawValue>(name, Need::Optional, FORM) else { return Map::new() };
        let Ok(Self { raw: fields, .. }) = Self::of(raw.get()) else {
            self.problems.push(format!("{name} is not {FORM}"));
            return Map::new();
        };
        let all = fields.len();
        let object = self.keep(fields, raw.get().len());
        if object.len() < all {
            // Without their names: those are the sender's text, of any length and content.
            self.problems.push(format!("{name} holds {} that can't be kept", all - object.len()));
        }
        object
    }

    /// All that nobody has read, as far as it can be kept. The documentation doesn't speak of it, so nothing can be wrong
    /// with it.
    pub fn rest(&mut self) -> Map<String, Value> {
        let fields = mem::take(&mut self.raw);
        let bytes = fields.values().map(|raw| raw.get().len()).sum();
        self.keep(fields, bytes)
    }

    /// These fields, which have so many bytes together, as they come.
    fn keep(&mut self, fields: HashMap<Lossy, &RawValue>, bytes: usize) -> Map<String, Value> {
        let left = self.trees.checked_sub(bytes);
        self.trees = left.unwrap_or(self.trees);
        let kept =
            |(key, value): (Lossy, &RawValue)| Some((storable(&key.0), custom(value.get(), left.is_some())?));
        fields.into_iter().filter_map(kept).collect()
    }

    /// The field, or `None` and, where the documentation wants it, a problem.
    pub fn read<T: Deserialize<'a>>(&mut self, name: &str, need: Need, form: &str) -> Option<T> {
        let raw: &'a str = self.raw.remove(name).map_or("null", RawValue::get);
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
