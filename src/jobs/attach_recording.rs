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
//!
//! With `RECORDINGS=copy` the recording itself is put there, as the file of an internal comment. Until it is to be had, and
//! where it is not, the ticket has the voice comment with its link.

use engine::{
    call::{Call, Status},
    config::ConfigError,
    job::{Job, JobError, Outcome},
    recording::{Copier, Missing},
    vendor::ClientError,
};

use crate::{
    clients::zendesk::{Attached, LARGEST_FILE, Recorded, Zendesk},
    settings::Settings,
};

/// What a ticket says of a recording that may still come.
const AWAITED: &str = "it is not there yet, and is attached here once it is; until then, and if it never is, there is its link, \
                       which may expire";

/// Attaches the recording to the call's ticket, or leaves a note that there was a call.
pub struct AttachRecording {
    desk: Zendesk,
    ticket_field: String,
    create_for: Vec<String>,
    copier: Copier,
}

impl Job for AttachRecording {
    const NAME: &'static str = "attach-recording";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            desk: Zendesk::new(settings)?,
            ticket_field: settings.ticket_field.clone(),
            create_for: settings.ticket_create_for.0.clone(),
            copier: settings.copier()?,
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
        let ticket = call.custom_field(&self.ticket_field);
        let made = match ticket {
            Some(_) if call.recording().is_some() || unanswered => "comment on ticket",
            Some(_) => return Ok(Outcome::Skipped("no recording".to_owned())),
            None if self.creates_for(call) => "ticket",
            None => return Ok(Outcome::Skipped("no ticket named".to_owned())),
        };
        let (attached, kept_out) = self.put(ticket.as_deref(), call).await?;
        let ticket = attached.ticket.to_string();
        let mut kept_out = Vec::from_iter(kept_out);
        for recording in &call.older_recordings {
            let older = Call { recording_url: Some(recording.clone()), ..call.clone() };
            kept_out.extend(self.put(Some(&ticket), &older).await?.1);
        }
        // One that the desk does not take keeps none of the others out.
        let missing: Vec<Missing> =
            kept_out.into_iter().collect::<Result<_, _>>().map_err(Copier::refused)?;
        let note = self.copier.note(call, attached.note, &missing)?;
        Ok(Outcome::done(made, ticket).at(Some(attached.url)).with(note).into())
    }
}

/// Why a recording is not on the ticket: it is missing, or the desk does not take it.
type KeptOut = Result<Missing, ClientError>;

impl AttachRecording {
    /// Puts the call on the ticket: with its recording where that is to be had, else with its link, and why.
    async fn put(
        &self,
        ticket: Option<&str>,
        call: &Call,
    ) -> Result<(Attached, Option<KeptOut>), ClientError> {
        let Some((fetcher, link)) = self.copier.source(call) else {
            return Ok((self.desk.attach(ticket, call, &Recorded::Link(None)).await?, None));
        };
        if let Some(attached) = self.desk.holding(ticket, call).await? {
            return Ok((attached, None));
        }
        let copied = match fetcher.fetch(link, LARGEST_FILE).await {
            Ok(recording) => self.desk.upload(call, recording).await,
            Err(missing) => Ok(Err(missing)),
        };
        match copied {
            Ok(Ok(file)) => Ok((self.desk.attach(ticket, call, &file).await?, None)),
            Ok(Err(missing)) => {
                let word = match missing.again(call, self.copier.wait) {
                    Some(_) => AWAITED.to_owned(),
                    None => missing.leaves_link(),
                };
                Ok((self.desk.attach(ticket, call, &Recorded::Link(Some(word))).await?, Some(Ok(missing))))
            }
            Err(error) => {
                // Whoever looks at it has the link meanwhile.
                Ok((self.desk.attach(ticket, call, &Recorded::Link(None)).await?, Some(Err(error))))
            }
        }
    }

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
