//! What `send` sends: a file, or a call made up.

use std::{
    fs,
    io::{Read, stdin},
    path::PathBuf,
};

use anyhow::{Context, ensure};
use axum::body::Bytes;
use clap::Args;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    config::ConfigError,
    platform::{Platform, Said},
};

/// How many lines are looked at to tell calls on lines from one call over several.
const FIRST: usize = 10;

/// The byte order mark.
const BOM: &[u8] = "\u{FEFF}".as_bytes();

/// What the call says.
#[derive(Debug, Args)]
pub(super) struct EventArgs {
    /// How the call ended [default: answered].
    #[arg(long, value_parser = ["answered", "missed", "abandoned", "voicemail"])]
    status: Option<String>,

    /// The caller's number.
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,

    /// The called number.
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,

    /// Who called whom [default: inbound].
    #[arg(long, value_parser = ["inbound", "outbound"])]
    direction: Option<String>,

    /// Where the recording is.
    #[arg(long, value_name = "URL")]
    recording: Option<String>,

    /// A custom field, as often as there are some: `--field ticket_id=35436`.
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,

    /// The call's own id [default: a new one].
    #[arg(long, value_name = "ID")]
    call_id: Option<String>,

    /// The event's id; one that was sent before is a duplicate [default: a new one].
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,

    /// A file to send as it is, `-` for standard input; flags replace its fields. One with many calls, each on a line of its own
    /// or all in one JSON array, is sent call by call: it is safe to interrupt and to repeat.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

impl EventArgs {
    /// What to deliver. A file without flags is sent as it is; in any other the platform's token is put where it belongs.
    pub(super) fn content(self, platform: &Platform, token: Option<String>) -> anyhow::Result<Content> {
        let mut said = Said {
            status: self.status,
            direction: self.direction,
            from: self.from,
            to: self.to,
            recording_url: self.recording,
            call_id: self.call_id,
            event_id: self.event_id,
            custom_fields: self.fields.into_iter().map(|(name, value)| (name, value.into())).collect(),
            token: None,
        };
        let mut event = match &self.file {
            None => {
                let status = said.status.as_deref().unwrap_or("answered");
                (platform.sample)(status, said.direction.as_deref().unwrap_or("inbound"))
            }
            Some(path) => {
                let text = read(path).with_context(|| format!("{} can't be read", path.display()))?;
                let text = Bytes::from(text);
                // A byte order mark, which some write before a file, is no part of what it says.
                let text = if text.starts_with(BOM) { text.slice(BOM.len()..) } else { text };
                if let Some(calls) = calls(&text)? {
                    ensure!(
                        said == Said::default(),
                        "flags replace the fields of one call, and the file holds more"
                    );
                    return Ok(Content::Many(calls));
                }
                if said == Said::default() {
                    return Ok(Content::One(text.into()));
                }
                serde_json::from_slice(&text).unwrap_or_default()
            }
        };
        let object = event.as_object_mut();
        let object = object.context("flags replace fields of a JSON object, and the file holds none")?;
        said.token = token;
        (platform.write)(object, &said);
        Ok(Content::One(event.to_string().into_bytes()))
    }
}

/// What is delivered.
pub(super) enum Content {
    /// The body of one delivery.
    One(Vec<u8>),
    /// Several, each with its place in the file.
    Many(Vec<(String, Bytes)>),
}

/// The calls of a file that holds many: a JSON array, or lines, of which one of the first is a JSON object. Each is the
/// receiver's to judge, a broken line too.
fn calls(text: &Bytes) -> anyhow::Result<Option<Vec<(String, Bytes)>>> {
    if text.trim_ascii_start().starts_with(b"[") {
        let items: Vec<&RawValue> =
            serde_json::from_slice(text).context("the file's JSON array is broken")?;
        let call = |(place, item): (usize, &&RawValue)| {
            (format!("call {}", place + 1), text.slice_ref(item.get().as_bytes()))
        };
        return Ok(Some(items.iter().enumerate().map(call).collect()));
    }
    if serde_json::from_slice::<IgnoredAny>(text).is_ok() {
        return Ok(None);
    }
    let lines =
        text.split(|&byte| byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    let call =
        |(place, line): (usize, &[u8])| (format!("line {}", place + 1), text.slice_ref(line.trim_ascii()));
    let calls: Vec<_> = lines.map(call).collect();
    let is_object = |(_, line): &(String, Bytes)| serde_json::from_slice::<Map<String, Value>>(line).is_ok();
    Ok((calls.len() > 1 && calls.iter().take(FIRST).any(is_object)).then_some(calls))
}

fn field(text: &str) -> Result<(String, String), ConfigError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(ConfigError::new("write it as NAME=VALUE: ticket_id=35436")),
    }
}

fn read(path: &PathBuf) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return fs::read(path);
    }
    let mut text = Vec::new();
    stdin().read_to_end(&mut text)?;
    Ok(text)
}
