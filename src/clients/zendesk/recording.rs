//! A recording as the file of a comment.

use engine::{
    call::Call,
    recording::{Missing, Recording},
    vendor::ClientError,
};

use super::{
    Attached, BEFORE, Zendesk,
    note::{Note, Recorded},
    number,
};

impl Zendesk {
    /// The ticket that has this recording of the call as a file, where one has.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn holding(&self, ticket: Option<&str>, call: &Call) -> Result<Option<Attached>, ClientError> {
        let sought = Recorded::File(String::new());
        let note = Note::of(call, &self.agents, &sought);
        let named = ticket.map(number).transpose()?;
        if let Some(id) = named {
            if self.holds(id, &note).await? {
                return Ok(Some(self.attached(id, Some(BEFORE))));
            }
            if self.api.ticket(id).await?.status != "closed" {
                return Ok(None);
            }
        }
        for made in self.api.tickets_of(&note.key).await? {
            if self.holds(made, &note).await? {
                return Ok(Some(self.attached(made, Some(BEFORE))));
            }
        }
        Ok(None)
    }

    /// Sends the recording as it comes, for a comment to have it.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached; within, the recording did not come whole.
    pub async fn upload(
        &self,
        call: &Call,
        recording: Recording,
    ) -> Result<Result<Recorded, Missing>, ClientError> {
        let link = Recorded::Link(None);
        let name = Note::of(call, &self.agents, &link).file_name().unwrap_or_default();
        Ok(self.api.upload(&name, recording).await?.map(Recorded::File))
    }
}
