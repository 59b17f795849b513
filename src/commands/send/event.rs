//! What `aftercall send` sends: a file, or a call made up.

use std::{
    fs,
    io::{Read, stdin},
    path::PathBuf,
};

use anyhow::Context;
use chrono::{SecondsFormat, TimeDelta, Utc};
use clap::Args;
use serde_json::{Map, Value, json};
use ulid::Ulid;

use crate::call::CALL_COMPLETED;

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

    /// The ticket that the call belongs to, in the custom field of `TICKET_FIELD`; the stand-in has 35436.
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,

    /// The contact that the call was with.
    #[arg(long, value_name = "ID")]
    crm_id: Option<String>,

    /// The call's own id [default: a new one].
    #[arg(long, value_name = "ID")]
    call_id: Option<String>,

    /// The event's id; one that was sent before is a duplicate [default: a new one].
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,

    /// A file to send as it is, `-` for standard input; flags replace its fields.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

impl EventArgs {
    /// The body of the delivery; a ticket goes into the custom field of this name.
    pub(super) fn body(&self, ticket_field: &str) -> anyhow::Result<Vec<u8>> {
        let fields = self.fields();
        let custom = pairs([(ticket_field, &self.ticket), ("crm_id", &self.crm_id)]);
        let mut event = match &self.file {
            None => {
                let status = self.status.as_deref().unwrap_or("answered");
                sample(status, self.direction.as_deref().unwrap_or("inbound"))
            }
            Some(path) => {
                let text = read(path).with_context(|| format!("{} can't be read", path.display()))?;
                if fields.is_empty() && custom.is_empty() {
                    return Ok(text);
                }
                serde_json::from_slice(&text).unwrap_or_default()
            }
        };
        let object = event.as_object_mut();
        let object = object.context("flags replace fields of a JSON object, and the file holds none")?;
        object.extend(fields);
        if !custom.is_empty() {
            let held = object.entry("custom_fields").or_insert_with(|| json!({}));
            match held.as_object_mut() {
                Some(held) => held.extend(custom),
                None => *held = custom.into(),
            }
        }
        Ok(event.to_string().into_bytes())
    }

    /// The fields that flags give.
    fn fields(&self) -> Map<String, Value> {
        pairs([
            ("status", &self.status),
            ("from", &self.from),
            ("to", &self.to),
            ("direction", &self.direction),
            ("recording_url", &self.recording),
            ("call_id", &self.call_id),
            ("event_id", &self.event_id),
        ])
    }
}

fn pairs<'a>(given: impl IntoIterator<Item = (&'a str, &'a Option<String>)>) -> Map<String, Value> {
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    given.map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn read(path: &PathBuf) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return fs::read(path);
    }
    let mut text = Vec::new();
    stdin().read_to_end(&mut text)?;
    Ok(text)
}

/// A call that has just ended so, under ids of its own. (Documentation, "Sample JSON payload".)
#[must_use]
pub fn sample(status: &str, direction: &str) -> Value {
    let id = Ulid::generate().to_string().to_lowercase();
    let now = Utc::now();
    let time =
        |seconds_ago| (now - TimeDelta::seconds(seconds_ago)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let (customer, us) = ("+14085551234", "+14085559876");
    let (from, to) = if direction == "outbound" { (us, customer) } else { (customer, us) };
    let answered = status == "answered";
    let recorded = answered || status == "voicemail";
    json!({
        "event": CALL_COMPLETED, "event_id": format!("evt_{id}"), "occurred_at": time(0), "call_id": format!("cl_{id}"),
        "parent_call_id": null, "direction": direction, "from": from, "to": to, "status": status,
        "reason": (!recorded).then_some("no_answer"),
        "queue": { "id": "q_23", "name": "Support" },
        "agent": answered.then(|| json!({ "id": "ag_102", "name": "Jordan" })),
        "started_at": time(271), "connected_at": answered.then(|| time(251)), "ended_at": time(0),
        "duration_seconds": 271, "talk_time_seconds": if answered { 251 } else { 0 },
        "wrap_up_seconds": if answered { 20 } else { 0 },
        "recording_url": recorded.then(|| format!("https://recordings.example/{id}.mp3")),
        "notes": answered.then_some("Callback scheduled"), "custom_fields": {},
    })
}
