//! Puts the call on its support ticket. ★ Another ticket system: put its client in place of [`Zendesk`].
//!
//! | ticket named | recording | status | does |
//! |---|---|---|---|
//! | yes | yes | any | voice comment |
//! | yes | no | missed, abandoned, voicemail | internal comment |
//! | yes | no | others | nothing: "no recording" |
//! | no | any | listed in `TICKET_CREATE_FOR` | makes a ticket, once per call |
//! | no | any | others | nothing: "no ticket named" |
//!
//! A closed ticket gets a follow-up. Each recording that an event of the call names is added where the call is already.

use engine::{
    call::{Call, Status},
    config::ConfigError,
    job::{Job, JobError, Outcome},
    vendor::ClientError,
};

use crate::{clients::zendesk::Zendesk, settings::Settings};

/// Attaches the recording to the call's ticket, or leaves a note that there was a call.
pub struct AttachRecording {
    desk: Zendesk,
    ticket_field: String,
    create_for: Vec<String>,
}

impl Job for AttachRecording {
    const NAME: &'static str = "attach-recording";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            desk: Zendesk::new(settings)?,
            ticket_field: settings.ticket_field.clone(),
            create_for: settings.ticket_create_for.0.clone(),
        })
    }

    fn destination(&self) -> String {
        self.desk.origin()
    }

    async fn check(&self) -> Result<Option<String>, ClientError> {
        self.desk.check().await.map(Some)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let unanswered = matches!(call.status, Some(Status::Missed | Status::Abandoned | Status::Voicemail));
        let (made, attached) = match call.custom_field(&self.ticket_field) {
            Some(ticket) if call.recording().is_some() || unanswered => {
                ("comment on ticket", self.desk.attach(&ticket, call).await?)
            }
            Some(_) => return Ok(Outcome::Skipped("no recording".to_owned())),
            None if self.creates_for(call) => ("ticket", self.desk.create(call).await?),
            None => return Ok(Outcome::Skipped("no ticket named".to_owned())),
        };
        for recording in &call.older_recordings {
            let older = Call { recording_url: Some(recording.clone()), ..call.clone() };
            self.desk.attach(&attached.ticket.to_string(), &older).await?;
        }
        Ok(Outcome::done(made, attached.ticket.to_string()).at(Some(attached.url)).with(attached.note).into())
    }
}

impl AttachRecording {
    fn creates_for(&self, call: &Call) -> bool {
        call.status
            .as_ref()
            .is_some_and(|status| self.create_for.iter().any(|listed| listed == status.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run};

    use super::*;
    use crate::receive::after_call::PLATFORM;

    #[test]
    fn a_call_without_a_ticket_is_left_alone_where_its_status_makes_none() {
        let settings = ["ZENDESK_BASE_URL={vendor}", "ZENDESK_CLIENT_ID=id", "ZENDESK_CLIENT_SECRET=secret"];
        let ran = run::<AttachRecording>(&settings, &call(&PLATFORM, "answered"));
        assert_eq!(ran.outcome.expect("it has nothing to do").to_string(), "skipped: no ticket named");
        assert!(ran.received.is_empty());
    }
}
