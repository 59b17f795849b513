//! Raw JSON values as Postgres can hold them, with as little lost as may be; the body as it came stands beside them.

use std::borrow::Borrow;

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::{Value, value::RawValue};

/// A JSON text in which half a surrogate pair, which JSON's grammar allows and UTF-8 doesn't, becomes U+FFFD.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Lossy(pub(super) String);

impl Borrow<str> for Lossy {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Lossy;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Lossy, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// A text that Postgres can hold; a number is taken as its digits, however many.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if is_number(raw) {
            return Ok(Self(raw.to_owned()));
        }
        let text = serde_json::from_str::<Lossy>(raw).map_err(|_| Error::custom("no text"))?;
        Ok(Self(storable(&text.0)))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// A field that is kept as it comes: any JSON, where a number that 64 bits can't hold is kept as the text of its digits, for it may be an
/// id. `None` for an object or a list that is not wanted, nested too deep, or broken inside.
pub(super) fn custom(raw: &str, trees: bool) -> Option<Value> {
    if let Ok(Text(text)) = serde_json::from_str(raw) {
        let whole = is_number(raw) && !raw.contains(['.', 'e', 'E']);
        let fits = !whole || raw.parse::<i64>().is_ok() || raw.parse::<u64>().is_ok();
        let number = serde_json::from_str(raw).ok().filter(|value| fits && Value::is_number(value));
        return Some(number.unwrap_or(Value::String(text)));
    }
    let tree = raw.starts_with(['{', '[']);
    (trees || !tree).then(|| serde_json::from_str(raw).ok().map(storable_value)).flatten()
}

fn is_number(raw: &str) -> bool {
    raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// A NUL is legal in JSON and can't be held by Postgres' text and jsonb.
pub(super) fn storable(text: &str) -> String {
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
pub(super) struct Time(pub(super) DateTime<Utc>);

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
