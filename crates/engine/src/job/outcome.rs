//! How a run of a job ends.

use std::{fmt, time::Duration};

use crate::vendor::ClientError;

/// How a job ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did its work, and this is the receipt.
    Done(Receipt),
    /// There was nothing to do, for this reason.
    Skipped(String),
}

impl Outcome {
    /// It made, or found already made, this at the vendor: `Outcome::done("call", "512")`.
    pub fn done(made: &'static str, external_id: impl Into<String>) -> Receipt {
        Receipt { made, external_id: external_id.into(), url: None, note: None }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Done(receipt) => receipt.fmt(f),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}

/// What a job achieved at a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What was made: "call", "comment", "ticket".
    pub made: &'static str,
    /// The vendor's id for it.
    pub external_id: String,
    /// A link to it for people.
    pub url: Option<String>,
    /// What a person should know beside it, without personal data.
    pub note: Option<String>,
}

impl Receipt {
    /// With a link to it for people, where there is one.
    #[must_use]
    pub fn at(self, url: Option<String>) -> Self {
        Self { url, ..self }
    }

    /// With what a person should know beside it, where there is something.
    #[must_use]
    pub fn with(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.made, self.external_id)?;
        self.note.as_ref().map_or(Ok(()), |note| write!(f, ", {note}"))
    }
}

impl From<Receipt> for Outcome {
    fn from(receipt: Receipt) -> Self {
        Self::Done(receipt)
    }
}

/// How a job failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The vendor's answer decides whether it is tried again.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Worth another try, for this reason.
    #[error("{0}")]
    Retry(String),
    /// What it needs is not there yet, by nobody's fault: it comes back after this time as if it had not run, for as long as the
    /// job itself wants to wait.
    #[error("{reason}")]
    Awaits {
        /// What is awaited.
        reason: String,
        /// When to look again.
        after: Duration,
    },
    /// No later try can succeed, for this reason.
    #[error("{0}")]
    GiveUp(String),
}

impl JobError {
    /// The word for it in the table `attempt`, by which alerts tell one kind of failure from another.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Client(ClientError::Down(_)) => "down",
            Self::Client(ClientError::Busy { .. } | ClientError::Limited { .. }) => "busy",
            Self::Client(ClientError::Unauthorized(_)) => "unauthorized",
            Self::Client(ClientError::Retry { .. }) => "not yet",
            Self::Client(ClientError::Stop(_)) => "refused",
            Self::Retry(_) | Self::GiveUp(_) | Self::Awaits { .. } => "failed",
        }
    }
}
