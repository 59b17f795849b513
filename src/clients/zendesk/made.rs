//! A ticket that is made for a call, once.

use serde_json::json;

use engine::{
    call::Call,
    vendor::{ClientError, idempotency_key},
};

use super::{
    Attached, Source, Zendesk,
    note::{self, Note},
};

impl Zendesk {
    /// Makes a ticket for the call, unless there is one that can still take what it lacks.
    pub(super) async fn open(
        &self,
        call: &Call,
        mut note: Note<'_>,
        mut source: Option<Source>,
    ) -> Result<Attached, ClientError> {
        for made in self.api.tickets_of(&note.key).await? {
            match self.put(made, &note).await?.on(self, made) {
                Ok(attached) => return Ok(attached),
                Err((this, _)) => source = source.or(Some(this)),
            }
        }
        // A comment that is itself at fault is refused here, too. Of a follow-up Zendesk says itself what it follows.
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
        let id = self.api.make_ticket(&ticket, &key).await?;
        Ok(self.attached(id, None))
    }
}
