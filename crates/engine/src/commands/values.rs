//! What commands take and print alike.

use std::fmt::Write;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use crate::{
    config::{Config, ConfigError},
    db,
    search::EndOfNumber,
    telemetry::{Safe, at, misleads},
};

/// A time, or how long ago it was.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let ago = humantime::parse_duration(text)
        .ok()
        .and_then(|ago| Utc::now().checked_sub_signed(TimeDelta::from_std(ago).ok()?));
    ago.ok_or_else(|| "write a time as 2026-11-27T10:00:00Z, or how long ago as 2h".to_owned())
}

/// The end of a number.
pub(super) fn number(text: &str) -> Result<EndOfNumber, String> {
    let number = EndOfNumber::read(text);
    number.ok_or_else(|| {
        "write the number, or its last five digits or more: '+1 408 555 1234', 5551234".to_owned()
    })
}

/// The configured database, or that of a `cargo run` on this machine where none is.
///
/// # Errors
///
/// There is neither.
pub(super) fn database(config: &Config) -> Result<SecretString, ConfigError> {
    #[cfg(feature = "dev")]
    if config.database_url.is_none()
        && let Some(url) = crate::dev::kept_database()
    {
        return Ok(url);
    }
    config.database()
}

/// What the database says, or what to look at where it can't be asked.
pub(super) fn said<T>(answer: sqlx::Result<T>) -> anyhow::Result<T> {
    answer.map_err(db::explain).context("the database of DATABASE_URL can't be asked")
}

/// As a JSON document in which a caller's text can do nothing to a terminal.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<String> {
    let mut text = String::new();
    // The text's own line breaks are escaped already: those that are left are the document's.
    for character in serde_json::to_string_pretty(value)?.chars() {
        if character != '\n' && (character.is_control() || misleads(character)) {
            write!(text, "\\u{:04x}", u32::from(character))?;
        } else {
            text.push(character);
        }
    }
    Ok(text)
}

/// A member of an object that the database has made, for people: empty where there is none, times as they read them.
pub(super) fn member(object: &Value, name: &str) -> String {
    match &object[name] {
        Value::Null => String::new(),
        Value::String(text) => shown(name, text),
        other => Safe(&other.to_string()).to_string(),
    }
}

fn shown(name: &str, text: &str) -> String {
    let time = name.ends_with("_at").then(|| DateTime::parse_from_rfc3339(text).ok()).flatten();
    time.map_or_else(|| Safe(text).to_string(), |time| at(time.to_utc()).to_string())
}
