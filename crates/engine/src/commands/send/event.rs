//! What `send` sends: a file, or a call made up.

use std::{
    fs,
    io::{Read, stdin},
    path::PathBuf,
};

use anyhow::Context;
use clap::Args;

use crate::{
    config::ConfigError,
    platform::{Platform, Said},
};

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

    /// A file to send as it is, `-` for standard input; flags replace its fields.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

impl EventArgs {
    /// The body of the delivery. A file without flags is sent as it is; in any other the platform's token is put where it
    /// belongs.
    pub(super) fn body(self, platform: &Platform, token: Option<String>) -> anyhow::Result<Vec<u8>> {
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
                if said == Said::default() {
                    return Ok(text);
                }
                serde_json::from_slice(&text).unwrap_or_default()
            }
        };
        let object = event.as_object_mut();
        let object = object.context("flags replace fields of a JSON object, and the file holds none")?;
        said.token = token;
        (platform.write)(object, &said);
        Ok(event.to_string().into_bytes())
    }
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
