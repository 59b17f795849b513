//! A ticket that is made for a call, once.

use serde_json::json;

use engine::{
    call::Call,
    vendor::{ClientError, idempotency_key},
};

use super::{
    Attached, Zendesk,
    note::{self, Note},
};

impl Zendesk {
    /// Makes a ticket for the call, unless there is one that can still take what it lacks.
    pub(super) async fn open(
        &self,
        call: &Call,
        note: &Note<'_>,
        mut follows: Option<u64>,
    ) -> Result<Attached, ClientError> {
        for made in self.api.tickets_of(&note.key).await? {
            if let Some(attached) = self.put(made, note).await?.on(self, made) {
                return Ok(attached);
            }
            follows = follows.or(Some(made));
        }
        let mut ticket = note.body();
        ticket["external_id"] = json!(note.key);
        ticket["subject"] = json!(note::subject(call));
        // Of the call, not of its event: several events of a call come at once. Kept for two hours, so a lost answer makes no
        // second ticket; after that the look above finds the first.
        let mut key = note.key.clone();
        let requester = if let Some(source) = follows {
            ticket["via_followup_source_id"] = json!(source);
            key = idempotency_key(&format!("{key}:{source}"));
            self.requester_of(source).await?
        } else {
            // A follow-up has what agents have made of its ticket.
            self.triage.mark(call, &mut ticket);
            self.requester(call).await?
        };
        if let Some(requester) = requester {
            ticket["requester_id"] = json!(requester);
        }
        let id = self.api.make_ticket(&ticket, &key).await?;
        Ok(self.attached(id, None))
    }
}
