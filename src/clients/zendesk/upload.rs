//! A recording as the file of a comment. (Zendesk's documentation, "Attachments".)

use reqwest::{Method, header::CONTENT_TYPE};

use super::{
    Attached, Zendesk,
    note::{Note, Recorded},
    refusal::{decode, success},
    wire::Uploaded,
};
use engine::{
    call::Call,
    recording::{Missing, Recording},
    vendor::ClientError,
};

/// The most bytes of a file: "50 MB". (Zendesk's documentation, "Adding ticket attachments with the API".)
pub const LARGEST_FILE: u64 = 50_000_000;

impl Zendesk {
    /// The ticket that has this recording of the call as a file, where one has.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn holding(&self, ticket: Option<&str>, call: &Call) -> Result<Option<Attached>, ClientError> {
        let sought = Recorded::File(String::new());
        let note = Note::of(call, &self.agents, &sought);
        if let Some(id) = ticket.map(super::number).transpose()? {
            if self.holds(id, &note).await? {
                return Ok(Some(self.attached(id, Some(super::BEFORE))));
            }
            if self.ticket(id).await?.status != "closed" {
                return Ok(None);
            }
        }
        for made in self.made_for(&note.key).await? {
            if self.holds(made, &note).await? {
                return Ok(Some(self.attached(made, Some(super::BEFORE))));
            }
        }
        Ok(None)
    }

    /// Sends the recording as it comes, for a comment to have it; without one, Zendesk deletes it within the hour.
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
        let audio = recording.audio;
        let mut url = self.url(&["uploads"]);
        url.query_pairs_mut().append_pair("filename", &format!("{name}.{}", audio.extension()));
        let deadline = recording.deadline();
        let (body, watch) = recording.into_body();
        let request = self.request(Method::POST, url).header(CONTENT_TYPE, audio.media_type());
        let answer = self.send(request.timeout(deadline).body(body)).await;
        if let Some(missing) = watch.fault() {
            return Ok(Err(missing));
        }
        let answer = answer?;
        self.vendor.heed(&answer);
        let uploaded: Uploaded = decode(&success(answer)?)?;
        Ok(Ok(Recorded::File(uploaded.upload.token)))
    }
}
