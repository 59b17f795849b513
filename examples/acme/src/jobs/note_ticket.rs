//! Notes the call on the ticket that the agent tagged it with, and adds the recording once it is there.

use engine::{
    call::Call,
    config::ConfigError,
    job::{Job, JobError, Outcome},
    vendor::ClientError,
};

use crate::{clients::freshdesk::Freshdesk, settings::Settings};

/// Writes a private note.
pub struct NoteTicket {
    desk: Freshdesk,
}

impl Job for NoteTicket {
    const NAME: &'static str = "note-ticket";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { desk: Freshdesk::new(settings)? })
    }

    fn destination(&self) -> String {
        self.desk.origin()
    }

    async fn check(&self) -> Result<Option<String>, ClientError> {
        self.desk.check().await.map(Some)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let Some(ticket) = call.custom_field("ticket") else {
            return Ok(Outcome::Skipped("no ticket named".to_owned()));
        };
        let ticket =
            ticket.parse().map_err(|_| JobError::GiveUp("the tag names no ticket's number".to_owned()))?;
        Ok(Outcome::done("note", self.desk.note(ticket, call).await?.to_string()).into())
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run_beside};
    use reqwest::Method;
    use serde_json::json;

    use super::*;
    use crate::receive::aircall::PLATFORM;

    #[test]
    fn a_note_that_is_there_is_not_written_again() {
        let settings = ["FRESHDESK_URL={vendor}", "FRESHDESK_KEY=key"];
        let mut call = call(&PLATFORM, "missed");
        call.custom_fields.insert("ticket".to_owned(), "7".into());
        let marker = format!("Call {}", call.call_id);
        let ran = run_beside::<NoteTicket>(&settings, &call, move |request| {
            assert_eq!(request.method, Method::GET);
            (200, json!([{ "id": 31, "body_text": format!("Missed call\n{marker}") }]))
        });
        assert_eq!(ran.outcome.expect("it is done").to_string(), "note 31");
    }
}
