//! 3. Dedupe and enqueue, many calls a commit.
//!
//! Handlers hand their events to one writer task, which writes whatever waits in one transaction. There is no timer: an
//! idle writer commits a single call at once, and calls that come during a commit share the next. Next on the way:
//! [`jobs`](crate::jobs).

mod connection;
mod transaction;
mod writer;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use super::room::Taken;
use crate::{call::Call, job::Enabled};

/// The most calls that wait for the writer; the next one gets 503 at once.
const LONGEST_QUEUE: usize = 4096;

/// How long a request that has arrived waits for room and its commit: an answer within 1 s leaves the platform time to try
/// again.
pub(super) const PATIENCE: Duration = Duration::from_millis(900);

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
    pub room: Taken,
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

type Reply = Result<Stored, StoreError>;

struct Entry {
    delivery: Delivery,
    reply: oneshot::Sender<Reply>,
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

    fn set(&self, in_trouble: bool) {
        self.in_trouble.store(in_trouble, Ordering::Relaxed);
    }
}

/// The handlers' end of the writer.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Entry>,
}

impl Writer {
    /// Starts the writer task over its own small pool; `probe` is another connection, on which it asks the server what became
    /// of it. It ends, with everything written, once the last `Writer` is dropped.
    #[must_use]
    pub fn start(pool: PgPool, probe: PgPool, jobs: Enabled, condition: Condition) -> (Self, JoinHandle<()>) {
        let (queue, entries) = mpsc::channel(LONGEST_QUEUE);
        (Self { queue }, tokio::spawn(writer::write_all(pool, probe, jobs, condition, entries)))
    }

    /// Stores the event and enqueues its jobs, or finds that it is a repeat; returns after the commit.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when that is not certain by the deadline: the sender must try again, and dedupe makes that harmless.
    pub async fn store(&self, delivery: Delivery, deadline: Instant) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Entry { delivery, reply }).map_err(|_| StoreError::Full)?;
        match timeout_at(deadline, answer).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Err(StoreError::Refused),
            Err(_) => Err(StoreError::Late),
        }
    }
}
