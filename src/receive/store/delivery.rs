//! What is handed to the writer, and what it says of it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{call::Call, receive::memory::Reserved};

/// What is stored of one request.
#[derive(Debug)]
pub struct Delivery {
    /// The event, typed.
    pub event: Call,
    /// The headers, without credentials, as `[[name, value], ..]`.
    pub headers: Value,
    /// The body as it came.
    pub body: Bytes,
    /// The memory that all this may take, given back when it is written or dropped.
    pub memory: Reserved,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The event is new, and its jobs are enqueued.
    New,
    /// The event was here before; nothing was changed.
    Duplicate {
        /// When the first delivery came.
        of: DateTime<Utc>,
        /// Whether the first delivery had the same body.
        same_body: bool,
    },
}

impl Stored {
    /// The word in the answer.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::New => "stored",
            Self::Duplicate { .. } => "duplicate",
        }
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::New => f.write_str("stored"),
            Self::Duplicate { of, .. } => write!(f, "duplicate of {}", of.format("%F %T UTC")),
        }
    }
}

/// Why an event could not be stored now.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Too many wait.
    #[error("too many events wait for the database")]
    Full,
    /// The database took too long.
    #[error("the database did not answer in time")]
    Late,
    /// The database refused, or is away; the log says why.
    #[error("the database refused")]
    Refused,
}

pub(super) type Reply = Result<Stored, StoreError>;

pub(super) struct Entry {
    pub(super) delivery: Delivery,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// Whether events can be stored, as far as the writer knows: it has met no trouble, or it is over.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    in_trouble: Arc<AtomicBool>,
}

impl Condition {
    /// Whether the last transaction failed, or is over its time.
    #[must_use]
    pub fn is_in_trouble(&self) -> bool {
        self.in_trouble.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, in_trouble: bool) {
        self.in_trouble.store(in_trouble, Ordering::Relaxed);
    }
}
