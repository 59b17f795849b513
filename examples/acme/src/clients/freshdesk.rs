//! Freshdesk: a private note for each call on its ticket.
//!
//! It has no key by which it knows a repeat. So each write looks first, by a last line that names the call; it is sent once;
//! and of one call's events the engine lets only one write at a time. (Freshdesk's documentation, "Conversations".)

use std::time::Duration;

use engine::{
    call::Call,
    config::{ConfigError, Secret},
    need,
    vendor::{Answer, ClientError, Vendor},
};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use crate::settings::Settings;

/// The most conversations of a page.
const PAGE: usize = 100;

/// Freshdesk under one agent's key.
pub struct Freshdesk {
    vendor: Vendor,
    url: Url,
    key: Secret,
}

#[derive(Deserialize)]
struct Conversation {
    id: u64,
    #[serde(default)]
    body_text: String,
}

impl Freshdesk {
    /// A client as configured.
    ///
    /// # Errors
    ///
    /// A setting is missing.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let url = need!(settings.freshdesk_url)?;
        Ok(Self {
            // 100 a minute in the smallest plan, less some for whoever else uses it. (Freshdesk's documentation, "Rate limit".)
            vendor: Vendor::new("Freshdesk").with_limit(60, Duration::from_mins(1), url),
            url: url.clone(),
            key: need!(settings.freshdesk_key)?.clone(),
        })
    }

    /// The origin that receipts name.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Notes the call on the ticket, or brings the note that is there up to date; returns its id. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Freshdesk refused, or can't be reached.
    pub async fn note(&self, ticket: u64, call: &Call) -> Result<u64, ClientError> {
        let marker = format!("Call {}", call.call_id);
        let ticket = ticket.to_string();
        let text = text(call, &marker);
        match self.find(&ticket, &marker).await? {
            Some(note) if lacks_the_recording(&note, call) => {
                let path = ["conversations", &note.id.to_string()];
                // The same text twice is the same note: this one may be repeated.
                self.vendor
                    .send(self.request(Method::PUT, &path).json(&json!({ "body": text })))
                    .await?
                    .success()?;
                Ok(note.id)
            }
            Some(note) => Ok(note.id),
            None => {
                let request = self.request(Method::POST, &["tickets", &ticket, "notes"]);
                let note = json!({ "body": text, "private": true });
                made(&self.vendor.send_once(request.json(&note)).await?.success()?)
            }
        }
    }

    /// The note of this call, on whatever page it stands.
    async fn find(&self, ticket: &str, marker: &str) -> Result<Option<Conversation>, ClientError> {
        for page in 1.. {
            let request = self.request(Method::GET, &["tickets", ticket, "conversations"]);
            let query = [("per_page", PAGE.to_string()), ("page", page.to_string())];
            let answer = self.vendor.send(request.query(&query)).await?.success()?;
            let all: Vec<Conversation> = answer.json().ok_or_else(|| {
                ClientError::retry("Freshdesk's list of conversations can't be read".to_owned())
            })?;
            let last = all.len() < PAGE;
            let is_its =
                |note: &Conversation| note.body_text.lines().next_back().map(str::trim) == Some(marker);
            if let Some(note) = all.into_iter().find(is_its) {
                return Ok(Some(note));
            }
            if last {
                break;
            }
        }
        Ok(None)
    }

    /// Asks who the key's agent is.
    ///
    /// # Errors
    ///
    /// Freshdesk refused, or can't be reached.
    pub async fn check(&self) -> Result<String, ClientError> {
        self.vendor.send(self.request(Method::GET, &["agents", "me"])).await?.success()?;
        Ok("the key is in force".to_owned())
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v2"]).extend(path);
        }
        self.vendor.request(method, url).basic_auth(self.key.expose_secret(), Some("X"))
    }
}

fn made(answer: &Answer) -> Result<u64, ClientError> {
    let note: Option<Conversation> = answer.json();
    note.map(|note| note.id)
        .ok_or_else(|| ClientError::retry("Freshdesk made a note without an id".to_owned()))
}

fn lacks_the_recording(note: &Conversation, call: &Call) -> bool {
    call.recording().is_some_and(|url| !note.body_text.contains(url))
}

/// The note as HTML, its last line the marker. What the platform says is escaped.
fn text(call: &Call, marker: &str) -> String {
    let status = call.status.as_ref().map_or("ended", AsRef::as_ref);
    let lines = [
        Some(format!("Call, {status}")),
        call.other_party().map(|number| format!("Number: {number}")),
        call.agent.name.as_ref().map(|name| format!("Agent: {name}")),
        call.duration_seconds.map(|seconds| format!("Seconds: {seconds}")),
        call.notes.clone(),
        call.recording().map(|url| format!("Recording: {url}")),
        Some(marker.to_owned()),
    ];
    let escaped = |line: String| line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    lines
        .into_iter()
        .flatten()
        .map(|line| format!("<div>{}</div>", escaped(line)))
        .collect::<Vec<_>>()
        .concat()
}
