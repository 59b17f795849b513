//! Zendesk: one comment for each call on the ticket that it belongs to.
//!
//! A ticket's update has no idempotency key, so each write looks first: `note` says what is written and how it is found
//! again, `token` keeps the credential. The rules are those of Zendesk's documentation of the tickets, comments and OAuth
//! APIs.

mod note;
#[cfg(feature = "dev")]
pub mod stand_in;
mod token;
mod wire;

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::json;

use super::{Answer, ClientError, Vendor, idempotency_key};
use crate::{
    config::{ConfigError, Pairs, ZendeskConfig},
    receive::event::CallEvent,
};
use note::Note;
use token::Tokens;
use wire::{Comments, Refusal, Ticket, Tickets, Updated};

/// How often a write starts over because somebody else changed the ticket meanwhile; after that the job's own retry does.
const CONFLICTS: usize = 5;

/// Zendesk's API under one OAuth client.
pub struct Zendesk {
    vendor: Vendor,
    base_url: Url,
    tokens: Tokens,
    agents: Pairs,
}

/// A ticket that holds the call.
#[derive(Debug)]
pub struct Attached {
    /// The ticket's number.
    pub ticket: u64,
    /// Its page for agents.
    pub url: String,
    /// What a person should know beside it.
    pub note: Option<String>,
}

impl Zendesk {
    /// A client as configured.
    ///
    /// # Errors
    ///
    /// A part of its configuration is missing, named.
    pub fn new(config: &ZendeskConfig) -> Result<Self, ConfigError> {
        let (Some(base_url), Some(id), Some(secret)) =
            (&config.base_url, &config.client_id, &config.client_secret)
        else {
            return Err(ConfigError::new(
                "ZENDESK_BASE_URL, ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET are not all set: \
                 set them, or take attach-recording out of JOBS",
            ));
        };
        if base_url.cannot_be_a_base() {
            return Err(ConfigError::new("ZENDESK_BASE_URL is no http or https URL"));
        }
        Ok(Self {
            // 100 updates of tickets a minute, each with the looks before it. (Zendesk's documentation, "Rate limits".)
            vendor: Vendor::new("Zendesk").with_requests_a_second(5),
            base_url: base_url.clone(),
            tokens: Tokens::new(id.clone(), secret.clone()),
            agents: config.agents.clone(),
        })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    /// Puts the call on the ticket, unless it is there; a closed ticket gets a follow-up. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn attach(&self, ticket: &str, call: &CallEvent) -> Result<Attached, ClientError> {
        let id: u64 = ticket.parse().map_err(|_| {
            ClientError::Stop("the custom field that names the ticket holds no number".into())
        })?;
        let note = Note::of(call, &self.agents);
        for _ in 0..CONFLICTS {
            let ticket = self.ticket(id).await?;
            if self.holds(id, &note).await? {
                return Ok(self.attached(id, Some("it was there already")));
            }
            if ticket.status == "closed" {
                let follow_up = self.open(call, Some(id)).await?;
                return Ok(Attached {
                    note: Some(format!("ticket {id} is closed: this follows up on it")),
                    ..follow_up
                });
            }
            if self.write(&ticket, &note).await? {
                return Ok(self.attached(id, None));
            }
        }
        Err(ClientError::retry(format!("somebody keeps changing ticket {id}")))
    }

    /// Makes a ticket for the call, unless there is one. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn create(&self, call: &CallEvent) -> Result<Attached, ClientError> {
        self.open(call, None).await
    }

    /// Looks whether tickets could be read, without writing; returns what it found.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn check(&self) -> Result<String, ClientError> {
        self.with_external_id("aftercall-doctor").await?;
        Ok("the client is known, and may read tickets".into())
    }

    /// The tickets that were made for a call.
    async fn with_external_id(&self, call_id: &str) -> Result<Tickets, ClientError> {
        let mut url = self.url(&["tickets"]);
        url.query_pairs_mut().append_pair("external_id", call_id);
        decode(&self.ask(self.request(Method::GET, url)).await?)
    }

    async fn open(&self, call: &CallEvent, follows: Option<u64>) -> Result<Attached, ClientError> {
        if let Some(ticket) = self.with_external_id(&call.call_id).await?.tickets.first() {
            return Ok(self.attached(ticket.id, Some("it was there already")));
        }
        let mut ticket = Note::of(call, &self.agents).body();
        ticket["external_id"] = json!(call.call_id);
        ticket["subject"] = json!(note::subject(call));
        if let Some(source) = follows {
            ticket["via_followup_source_id"] = json!(source);
        }
        // Kept for two hours, so a lost answer makes no second ticket; after that the look above finds the first.
        let key = idempotency_key(&call.event_id);
        let request = self.request(Method::POST, self.url(&["tickets"])).header("Idempotency-Key", key);
        let made: Updated = decode(&self.ask(request.json(&json!({ "ticket": ticket }))).await?)?;
        let id = made.ticket.ok_or_else(|| ClientError::retry("Zendesk answered without the ticket"))?.id;
        Ok(self.attached(id, None))
    }

    async fn ticket(&self, id: u64) -> Result<Ticket, ClientError> {
        let answer = self.ask(self.request(Method::GET, self.url(&["tickets", &id.to_string()]))).await?;
        let updated: Updated = decode(&answer)?;
        updated.ticket.ok_or_else(|| ClientError::retry("Zendesk answered without the ticket"))
    }

    /// Whether a comment of the ticket is this call's.
    async fn holds(&self, id: u64, note: &Note<'_>) -> Result<bool, ClientError> {
        let mut next = Some(self.url(&["tickets", &id.to_string(), "comments"]));
        if let Some(first) = &mut next {
            first.query_pairs_mut().append_pair("page[size]", "100");
        }
        while let Some(page) = next {
            let comments: Comments = decode(&self.ask(self.request(Method::GET, page)).await?)?;
            if comments.page.iter().any(|comment| note.is(comment)) {
                return Ok(true);
            }
            // A link to elsewhere would carry our token there.
            next = comments.next().filter(|next| next.origin() == self.base_url.origin());
        }
        Ok(false)
    }

    /// Writes the note if the ticket is still as it was seen; false when it isn't.
    async fn write(&self, ticket: &Ticket, note: &Note<'_>) -> Result<bool, ClientError> {
        let mut body = note.body();
        body["safe_update"] = json!(true);
        body["updated_stamp"] = json!(ticket.updated_at);
        let url = self.url(&["tickets", &ticket.id.to_string()]);
        let answer = self.send(self.request(Method::PUT, url).json(&json!({ "ticket": body }))).await?;
        if answer.status == StatusCode::CONFLICT {
            return Ok(false);
        }
        let updated: Updated = decode(&success(answer)?)?;
        // A body that is not what Zendesk expects is answered 200, and changes nothing.
        if updated.has_comment() {
            Ok(true)
        } else {
            Err(ClientError::Stop("Zendesk answered 200 and changed nothing".into()))
        }
    }

    fn attached(&self, ticket: u64, note: Option<&str>) -> Attached {
        Attached {
            ticket,
            url: format!("{}/agent/tickets/{ticket}", self.origin()),
            note: note.map(str::to_owned),
        }
    }

    /// `/api/v2/{path}.json`.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        let (last, before) = path.split_last().expect("a path has an end");
        url.path_segments_mut()
            .expect("a base URL has a path")
            .pop_if_empty()
            .extend(["api", "v2"])
            .extend(before)
            .push(&format!("{last}.json"));
        url
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.vendor.request(method, url)
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        success(self.send(request).await?)
    }

    /// Sends a request under our token, and once more under a new one when that one has ended early.
    async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let again = request.try_clone();
        let token = self.tokens.get(&self.vendor, &self.base_url).await?;
        let answer = self.vendor.send(request.bearer_auth(&token)).await?;
        match again {
            Some(again) if answer.status == StatusCode::UNAUTHORIZED => {
                self.tokens.forget(&token).await;
                let token = self.tokens.get(&self.vendor, &self.base_url).await?;
                self.vendor.send(again.bearer_auth(token)).await
            }
            _ => Ok(answer),
        }
    }
}

fn success(answer: Answer) -> Result<Answer, ClientError> {
    if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
}

/// What Zendesk's error means. (Zendesk's documentation, "Responses": `error` is a word or an object.)
fn refused(answer: &Answer) -> ClientError {
    let refusal: Option<Refusal> = answer.json();
    let reason = refusal.map_or_else(|| answer.text(), |refusal| refusal.to_string());
    let reason = format!("Zendesk answered {}: {reason}", answer.status.as_u16());
    match answer.status.as_u16() {
        401 => ClientError::Unauthorized(format!(
            "{reason} (are ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET right?)"
        )),
        // Another body went out under this key: the next try looks for the ticket that it made.
        400 if reason.contains("Idempotent") => ClientError::retry(reason),
        _ => ClientError::by_status(answer, reason),
    }
}

fn decode<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    answer.json().ok_or_else(|| ClientError::retry("Zendesk's answer is not of the documented form"))
}
