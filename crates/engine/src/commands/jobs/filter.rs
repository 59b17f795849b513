//! Which jobs a command is about.

use chrono::{DateTime, Utc};
use clap::{Args, builder::NonEmptyStringValueParser};

use crate::{
    commands::values::{number, time},
    job::Jobs,
    search::EndOfNumber,
    work::tasks::given_up::{Cause, Which},
};

/// What narrows jobs down.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only jobs of this name: update-crm.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    job: Option<String>,

    /// Only what this event started.
    #[arg(long = "event", value_parser = NonEmptyStringValueParser::new())]
    event_id: Option<String>,

    /// Only what failed with this text in its cause, or of this kind: refused, died. Numbers in causes read #.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    cause: Option<String>,

    /// Only of calls from or to this number: all of it, or the last five digits or more.
    #[arg(long, value_parser = number)]
    number: Option<EndOfNumber>,

    /// Only what was given up since then: a time, `2026-11-27T10:00:00Z`, or how long ago, `2h`.
    #[arg(long, value_parser = time)]
    since: Option<DateTime<Utc>>,

    /// Only what was given up until then.
    #[arg(long, value_parser = time)]
    until: Option<DateTime<Utc>>,
}

impl Filter {
    /// The same for the database.
    ///
    /// # Errors
    ///
    /// There is no job of this name.
    pub(super) fn which(&self, jobs: &Jobs) -> anyhow::Result<Which<'_>> {
        if let Some(job) = &self.job {
            jobs.named(job)?;
        }
        Ok(Which {
            job: self.job.as_deref(),
            event_id: self.event_id.as_deref(),
            cause: self.cause.as_deref().map(Cause::Contains),
            number: self.number.as_ref(),
            since: self.since,
            until: self.until,
        })
    }

    /// Whether it is about all of them.
    pub(super) fn is_empty(&self) -> bool {
        let Self { job, event_id, cause, number, since, until } = self;
        [job, event_id, cause].iter().all(|word| word.is_none())
            && number.is_none()
            && since.is_none()
            && until.is_none()
    }
}
