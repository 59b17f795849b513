//! Zendesk: one comment for each call on the ticket that it belongs to.
//!
//! A ticket's update has no idempotency key, so each write looks first: `note` says what is written and how it is found
//! again; `made` makes a ticket, with what `requester` and `triage` say; `recording` is its file. Its API is [`zendesk_api`].

mod made;
mod note;
mod recording;
mod requester;
pub mod settings;
#[cfg(feature = "dev")]
pub mod stand_in;
mod triage;

use phonenumber::country;

use engine::{
    call::Call,
    config::{ConfigError, Pairs},
    vendor::ClientError,
};
use zendesk_api::Api;

use crate::settings::{Recordings, Settings};
use note::Note;
use settings::ZendeskRequester;
use triage::Triage;

pub use note::Recorded;
pub use zendesk_api::LARGEST_FILE;

/// How often a write starts over because somebody else changed the ticket meanwhile; after that the job's own retry does.
const CONFLICTS: usize = 5;

/// What a receipt says of what an earlier run did.
const BEFORE: &str = "it was there already";

/// Zendesk, as calls are kept there.
pub struct Zendesk {
    api: Api,
    agents: Pairs,
    requester: ZendeskRequester,
    region: Option<country::Id>,
    triage: Triage,
}

/// What became of a call on one ticket.
enum Put {
    Now,
    Before,
    /// Not at all: the ticket is closed for good.
    Closed,
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
    /// Those of [`Api::new`], or `ZENDESK_TICKETS` says what it can't.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let zendesk = &settings.zendesk;
        // No scope of one kind of record is documented to hold uploads.
        let scope = match (settings.recordings, zendesk.zendesk_requester) {
            (Recordings::Link, ZendeskRequester::Account) => "tickets:read tickets:write",
            (Recordings::Link, ZendeskRequester::Caller) => {
                "tickets:read tickets:write users:read users:write"
            }
            (Recordings::Copy, ZendeskRequester::Account) => "tickets:read write",
            (Recordings::Copy, ZendeskRequester::Caller) => "tickets:read users:read write",
        };
        Ok(Self {
            api: Api::new(&zendesk.api, scope)?,
            agents: zendesk.zendesk_agents.clone(),
            requester: zendesk.zendesk_requester,
            region: settings.default_region.map(|region| region.0),
            triage: Triage::parse(&zendesk.zendesk_tickets)?,
        })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.api.origin()
    }

    /// Puts the call on the ticket, unless it is there; a closed ticket gets a follow-up. Where none is named, one is made for
    /// the call, and the one that is there is given what it lacks. Safe to repeat.
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
        let Some(id) = ticket.map(number).transpose()? else { return self.open(call, &note, None).await };
        if let Some(attached) = self.put(id, &note).await?.on(self, id) {
            return Ok(attached);
        }
        let follow_up = self.open(call, &note, Some(id)).await?;
        Ok(Attached { note: Some(format!("ticket {id} is closed: this follows up on it")), ..follow_up })
    }

    /// Looks whether tickets could be read, without writing; returns what it found.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn check(&self) -> Result<String, ClientError> {
        self.api.tickets_of("aftercall-doctor").await?;
        Ok("the client is known, and may read tickets".into())
    }

    /// Puts the call on this ticket, unless it is there.
    async fn put(&self, id: u64, note: &Note<'_>) -> Result<Put, ClientError> {
        let mut turn = self.api.turn(id).await?;
        let mut refused = None;
        for _ in 0..CONFLICTS {
            let ticket = self.api.ticket(id).await?;
            // As it was when the comment was refused: so there is nothing new to look for.
            if let Some((_, error)) = refused.take_if(|(seen, _)| *seen == ticket.updated_at) {
                return Err(error);
            }
            if self.holds(id, note).await? {
                return Ok(Put::Before);
            }
            if ticket.status == "closed" {
                return Ok(Put::Closed);
            }
            match self.api.comment(&ticket, note.body(), &mut turn).await {
                Ok(true) => return Ok(Put::Now),
                Ok(false) => {}
                // It may be closed by now, or hold the comment of a try whose answer was lost: the next look tells.
                Err(error @ ClientError::Stop(_)) => refused = Some((ticket.updated_at, error)),
                Err(error) => return Err(error),
            }
        }
        Err(ClientError::retry(format!("somebody keeps changing ticket {id}")))
    }

    /// Whether a comment of the ticket is this call's.
    async fn holds(&self, id: u64, note: &Note<'_>) -> Result<bool, ClientError> {
        self.api.has_comment(id, |comment| note.is(comment)).await
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
    /// The ticket that holds the call, where this one does.
    fn on(self, zendesk: &Zendesk, ticket: u64) -> Option<Attached> {
        match self {
            Self::Now => Some(zendesk.attached(ticket, None)),
            Self::Before => Some(zendesk.attached(ticket, Some(BEFORE))),
            Self::Closed => None,
        }
    }
}
