//! Why a vendor did not do what it was asked.

use std::time::Duration;

/// Why a vendor did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It may do this later, by itself or when it is asked again.
    #[error("{reason}")]
    Retry {
        /// What it said.
        reason: String,
        /// When it wants to be asked again.
        after: Option<Duration>,
    },
    /// It will never do this.
    #[error("{0}")]
    Stop(String),
    /// It asks for a pause from all that we send.
    #[error("{reason}")]
    Busy {
        /// What it said.
        reason: String,
        /// How long the pause should be.
        after: Duration,
    },
    /// It asks for a pause from one thing alone: one ticket, one kind of request. This job waits, the vendor's others go on.
    #[error("{reason}")]
    Limited {
        /// What it said.
        reason: String,
        /// How long the pause should be.
        after: Duration,
    },
    /// It can't be reached, or is broken.
    #[error("{0}")]
    Down(String),
    /// It doesn't know our credential.
    #[error("{0}")]
    Unauthorized(String),
}

impl ClientError {
    /// Something that another try may cure.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None }
    }
}
