//! A ticket that is made for a call, once.

use std::cmp::Reverse;

use reqwest::Method;
use serde_json::json;

use super::{
    Attached, Source,
    api::Zendesk,
    note::{self, Note},
    refusal::decode,
    wire::{Tickets, Updated},
};
use engine::{
    call::Call,
    vendor::{ClientError, idempotency_key},
};

impl Zendesk {
    /// The numbers of the tickets that were made for a call, the newest first.
    pub(super) async fn made_for(&self, key: &str) -> Result<Vec<u64>, ClientError> {
        let mut url = self.url(&["tickets"]);
        url.query_pairs_mut().append_pair("external_id", key);
        let found: Tickets = decode(&self.ask(self.request(Method::GET, url)).await?)?;
        let made = found.tickets.iter().filter(|ticket| ticket.external_id.as_deref() == Some(key));
        let mut numbers: Vec<u64> = made.map(|ticket| ticket.id).collect();
        numbers.sort_by_key(|&number| Reverse(number));
        Ok(numbers)
    }

    /// Makes a ticket for the call, unless there is one that can still take what it lacks.
    pub(super) async fn open(
        &self,
        call: &Call,
        mut note: Note<'_>,
        mut source: Option<Source>,
    ) -> Result<Attached, ClientError> {
        for made in self.made_for(&note.key).await? {
            match self.put(made, &note).await?.on(self, made) {
                Ok(attached) => return Ok(attached),
                Err((this, _)) => source = source.or(Some(this)),
            }
        }
        // Of a follow-up Zendesk says itself what it follows.
        note.continues = source.as_ref().filter(|source| !source.closed).map(|source| source.id);
        let mut ticket = note.body();
        ticket["external_id"] = json!(note.key);
        ticket["subject"] = json!(note::subject(call));
        // Of the call, not of its event: several events of a call come at once. Kept for two hours, so a lost answer makes no
        // second ticket; after that the look above finds the first.
        let mut key = note.key.clone();
        match &source {
            // A follow-up has what agents have made of its ticket.
            Some(Source { id, closed: true }) => ticket["via_followup_source_id"] = json!(id),
            _ => self.triage.mark(call, &mut ticket),
        }
        let requester = if let Some(Source { id, .. }) = source {
            key = idempotency_key(&format!("{key}:{id}"));
            self.requester_of(id).await?
        } else {
            self.requester(call).await?
        };
        if let Some(requester) = requester {
            ticket["requester_id"] = json!(requester);
        }
        let request = self.request(Method::POST, self.url(&["tickets"])).header("Idempotency-Key", key);
        let made: Updated = decode(&self.ask(request.json(&json!({ "ticket": ticket }))).await?)?;
        let id = made.ticket.ok_or_else(|| ClientError::retry("Zendesk answered without the ticket"))?.id;
        Ok(self.attached(id, None))
    }
}
