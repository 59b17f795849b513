//! Zendesk: one comment for each call on the ticket that it belongs to.
//!
//! A ticket's update has no idempotency key, so each write looks first: `note` says what is written and how it is found
//! again; `made` makes a ticket, with what `requester` and `triage` say; `api` and `token` speak to Zendesk. The rules are
//! those of Zendesk's documentation of the tickets, comments, users and OAuth APIs.

mod api;
mod made;
mod note;
mod refusal;
mod requester;
#[cfg(feature = "dev")]
pub mod stand_in;
mod token;
mod triage;
mod upload;
mod wire;

use reqwest::{Method, StatusCode};
use serde_json::json;

use engine::{
    call::Call,
    config::ConfigError,
    need,
    vendor::{ClientError, OwnTurn, Turns, Vendor},
};

use crate::settings::{Recordings, Settings, ZendeskRequester};
pub use api::Zendesk;
use note::Note;
pub use note::Recorded;
use refusal::{decode, pause_of_the_ticket, refused, success};
use token::Tokens;
use triage::Triage;
pub use upload::LARGEST_FILE;
use wire::{Comments, Ticket, Updated};

/// How often a write starts over because somebody else changed the ticket meanwhile; after that the job's own retry does.
const CONFLICTS: usize = 5;

/// What a receipt says of what an earlier run did.
const BEFORE: &str = "it was there already";

/// What became of a call on one ticket.
enum Put {
    Now,
    Before,
    /// Not at all: the ticket is closed for good.
    Closed,
    /// Not at all, as Zendesk says: one that has 5,000 comments takes no more. (Documentation, "Ticket comments".)
    Refused(String),
}

/// A ticket that can't take a call, for which a new one stands in.
pub(super) struct Source {
    id: u64,
    /// Of a closed one alone the new one can be a follow-up.
    closed: bool,
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
    /// A part of its configuration is missing or wrong, named.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let base_url = need!(settings.zendesk_base_url)?;
        let id = need!(settings.zendesk_client_id)?;
        let secret = need!(settings.zendesk_client_secret)?;
        if base_url.cannot_be_a_base() {
            return Err(ConfigError::new("ZENDESK_BASE_URL is no http or https URL"));
        }
        // No scope of one kind of record is documented to hold uploads.
        let scope = match (settings.recordings, settings.zendesk_requester) {
            (Recordings::Link, ZendeskRequester::Account) => "tickets:read tickets:write",
            (Recordings::Link, ZendeskRequester::Caller) => {
                "tickets:read tickets:write users:read users:write"
            }
            (Recordings::Copy, ZendeskRequester::Account) => "tickets:read write",
            (Recordings::Copy, ZendeskRequester::Caller) => "tickets:read users:read write",
        };
        Ok(Self {
            // 100 updates of tickets a minute, each with the looks before it. (Zendesk's documentation, "Rate limits".)
            vendor: Vendor::new("Zendesk").with_requests_a_second(5),
            base_url: base_url.clone(),
            tokens: Tokens::new(id.clone(), secret.clone(), scope),
            turns: Turns::of("ticket"),
            agents: settings.zendesk_agents.clone(),
            requester: settings.zendesk_requester,
            region: settings.default_region.map(|region| region.0),
            triage: Triage::parse(&settings.zendesk_tickets)?,
        })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    /// Puts the call on the ticket, unless it is there; a closed ticket gets a follow-up, and one that takes no comment a new
    /// ticket in its place. Where none is named, one is made for the call, and the one that is there is given what it lacks.
    /// Safe to repeat.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn attach(
        &self,
        ticket: Option<&str>,
        call: &Call,
        recorded: &Recorded,
    ) -> Result<Attached, ClientError> {
        let note = Note::of(call, &self.agents, recorded);
        let Some(id) = ticket.map(number).transpose()? else { return self.open(call, note, None).await };
        let (source, why) = match self.put(id, &note).await?.on(self, id) {
            Ok(attached) => return Ok(attached),
            Err((source, None)) => (source, format!("ticket {id} is closed: this follows up on it")),
            Err((source, Some(reason))) => {
                (source, format!("ticket {id} takes no comment ({reason}): this continues it"))
            }
        };
        Ok(Attached { note: Some(why), ..self.open(call, note, Some(source)).await? })
    }

    /// Looks whether tickets could be read, without writing; returns what it found.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn check(&self) -> Result<String, ClientError> {
        self.made_for("aftercall-doctor").await?;
        Ok("the client is known, and may read tickets".into())
    }

    /// Puts the call on this ticket, unless it is there.
    async fn put(&self, id: u64, note: &Note<'_>) -> Result<Put, ClientError> {
        let mut turn = self.turns.take(id).await?;
        for _ in 0..CONFLICTS {
            let ticket = self.ticket(id).await?;
            if self.holds(id, note).await? {
                return Ok(Put::Before);
            }
            if ticket.status == "closed" {
                return Ok(Put::Closed);
            }
            if let Some(put) = self.write(&ticket, note, &mut turn).await? {
                return Ok(put);
            }
        }
        Err(ClientError::retry(format!("somebody keeps changing ticket {id}")))
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

    /// Writes the note if the ticket is still as it was seen; nothing when it isn't.
    async fn write(
        &self,
        ticket: &Ticket,
        note: &Note<'_>,
        turn: &mut OwnTurn,
    ) -> Result<Option<Put>, ClientError> {
        let mut body = note.body();
        body["safe_update"] = json!(true);
        body["updated_stamp"] = json!(ticket.updated_at);
        let url = self.url(&["tickets", &ticket.id.to_string()]);
        let answer = self.send(self.request(Method::PUT, url).json(&json!({ "ticket": body }))).await?;
        match answer.status {
            StatusCode::CONFLICT => return Ok(None),
            // Whether the ticket is at fault or the comment, its words are not documented to tell. A comment that is at fault
            // is refused by a new ticket, too.
            StatusCode::UNPROCESSABLE_ENTITY => return Ok(Some(Put::Refused(refused(&answer).to_string()))),
            StatusCode::TOO_MANY_REQUESTS => {
                match pause_of_the_ticket(&answer).map(|after| turn.pause(after)) {
                    Some(of_this_ticket) => return Err(of_this_ticket),
                    None => self.vendor.heed(&answer),
                }
            }
            _ => {}
        }
        let updated: Updated = decode(&success(answer)?)?;
        // A body that is not what Zendesk expects is answered 200, and changes nothing.
        if updated.has_comment() {
            Ok(Some(Put::Now))
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
}

fn number(ticket: &str) -> Result<u64, ClientError> {
    let number = ticket.parse();
    number.map_err(|_| ClientError::Stop("the custom field that names the ticket holds no number".into()))
}

impl Put {
    /// The ticket, where it holds the call; else what it is to a new one, and the reason for which it was refused.
    fn on(self, zendesk: &Zendesk, id: u64) -> Result<Attached, (Source, Option<String>)> {
        match self {
            Self::Now => Ok(zendesk.attached(id, None)),
            Self::Before => Ok(zendesk.attached(id, Some(BEFORE))),
            Self::Closed => Err((Source { id, closed: true }, None)),
            Self::Refused(reason) => Err((Source { id, closed: false }, Some(reason))),
        }
    }
}
