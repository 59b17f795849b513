//! Which values a property takes: an unknown property, or a value that it doesn't take, is refused.
//!
//! The calls guide says that properties which don't exist are ignored; observed is the refusal below.

use chrono::{DateTime, Timelike};

use serde_json::json;

use super::account::{Account, Values};
use super::properties::{ObjectType, Property};
use crate::schema::Schema;

static RECORDING: Schema = Schema::new(include_str!("schemas/objects.json"), "recording");

/// The most characters that a text property takes (properties guide).
const LONGEST: usize = 65_536;

/// One thing wrong with the properties of a record.
pub(super) struct Invalid {
    pub(super) name: String,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Everything wrong with the properties of a record, in the order of their names.
pub(super) fn check(account: &Account, of: ObjectType, values: &Values) -> Vec<Invalid> {
    let problem = |(name, value): (&String, &String)| {
        let (code, message) = match account.property(of, name) {
            None => ("PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist")),
            // An empty value clears the property, whatever its type (calls guide).
            Some(_) if value.is_empty() => return None,
            Some(property) => refused(&property, value)?,
        };
        Some(Invalid { name: name.clone(), code, message })
    };
    values.iter().filter_map(problem).collect()
}

fn refused(property: &Property, value: &str) -> Option<(&'static str, String)> {
    let allowed: Vec<&str> = property.options.iter().map(|choice| choice.value.as_str()).collect();
    let is_recording = property.name == "hs_call_recording_url";
    // "Either a Unix timestamp in milliseconds or UTC format" (calls guide).
    let is_datetime = || value.parse::<i64>().is_ok() || is_time(value);
    match property.kind.as_str() {
        // The limit is documented, the words are not.
        _ if value.chars().count() > LONGEST => {
            Some(("PROPERTY_VALUE_TOO_LONG", format!("The value is longer than {LONGEST} characters")))
        }
        // Both observed with the same words, which name Java's integer type.
        "number" if value.parse::<f64>().is_err() => Some(not_a_long(value)),
        "datetime" | "date" if !is_datetime() => Some(not_a_long(value)),
        _ if !allowed.is_empty() && !allowed.contains(&value) => {
            let allowed = allowed.join(", ");
            Some(("INVALID_OPTION", format!("{value} was not one of the allowed options: [{allowed}]")))
        }
        // With which words is not said.
        _ if is_recording && !RECORDING.check(&json!(value)).is_empty() => {
            Some(("INVALID_URL", format!("{value} is not an HTTPS URL")))
        }
        _ => None,
    }
}

fn not_a_long(value: &str) -> (&'static str, String) {
    ("INVALID_LONG", format!("{value} was not a valid long."))
}

/// Whether it is a time as in RFC 3339, of whole milliseconds: no example is finer.
fn is_time(value: &str) -> bool {
    DateTime::parse_from_rfc3339(value).is_ok_and(|time| time.nanosecond() % 1_000_000 == 0)
}
