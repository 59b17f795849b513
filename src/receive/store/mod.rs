//! 3. Dedupe and enqueue, many calls a commit.
//!
//! Handlers hand their events to one writer task, which writes whatever waits in one transaction. There is no timer: an
//! idle writer commits a single call at once, and calls that come during a commit share the next. Next on the way:
//! [`jobs`](crate::jobs).

mod transaction;

use std::{fmt, time::Duration};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgPool, error::DatabaseError};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

use super::{event::CallEvent, room::Taken};
use crate::jobs::Enabled;

/// The most calls in one transaction.
const LARGEST_BATCH: usize = 256;

/// The most calls that wait for the writer; the next one gets 503 at once.
const LONGEST_QUEUE: usize = 4096;

/// How long a request that has arrived waits for room and its commit: an answer within 1 s leaves the platform time to try
/// again.
pub(super) const PATIENCE: Duration = Duration::from_millis(900);

/// How long the writer waits for a transaction before it gives the connection up. Postgres' own `statement_timeout` is
/// shorter; this one is for a connection whose other end is gone.
const TRANSACTION_DEADLINE: Duration = Duration::from_secs(2);

/// What is stored of one request.
#[derive(Debug)]
pub struct Delivery {
    /// The event, typed.
    pub event: CallEvent,
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

/// The handlers' end of the writer.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Entry>,
}

impl Writer {
    /// Starts the writer task over its own small pool. It ends, with everything written, once the last `Writer` is dropped.
    #[must_use]
    pub fn start(pool: PgPool, jobs: Enabled) -> (Self, JoinHandle<()>) {
        let (queue, entries) = mpsc::channel(LONGEST_QUEUE);
        (Self { queue }, tokio::spawn(write_all(pool, jobs, entries)))
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

async fn write_all(pool: PgPool, jobs: Enabled, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, LARGEST_BATCH).await > 0 {
        // A caller that has gone was told 503 and comes again.
        let waiting = batch.drain(..).filter(|entry| !entry.reply.is_closed());
        let (deliveries, replies): (Vec<_>, Vec<_>) =
            waiting.map(|entry| (entry.delivery, entry.reply)).unzip();
        for (reply, result) in replies.into_iter().zip(write(&pool, &jobs, &deliveries).await) {
            // An error says that the caller has gone in the meantime; the event is stored all the same.
            let _gone = reply.send(result);
        }
    }
}

/// One transaction for all; only where a row itself is refused, one for each half, and so on down to that row.
async fn write(pool: &PgPool, jobs: &Enabled, deliveries: &[Delivery]) -> Vec<Reply> {
    let mut replies = Vec::with_capacity(deliveries.len());
    let mut parts = vec![deliveries];
    while let Some(part) = parts.pop() {
        match commit(pool, jobs, part).await {
            Ok(stored) => replies.extend(stored.into_iter().map(Ok)),
            Err(error) if part.len() > 1 && is_about_a_row(&error) => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
            Err(error) => replies.extend(std::iter::repeat_n(Err(refused(&error)), part.len())),
        }
    }
    replies
}

async fn commit(pool: &PgPool, jobs: &Enabled, deliveries: &[Delivery]) -> sqlx::Result<Vec<Stored>> {
    let mut connection = pool.acquire().await?;
    let written = timeout(TRANSACTION_DEADLINE, transaction::write(&mut connection, jobs, deliveries)).await;
    written.unwrap_or_else(|_| {
        // Nobody knows what state it is in: it is closed, not returned to the pool.
        drop(connection.detach());
        Err(sqlx::Error::PoolTimedOut)
    })
}

/// SQLSTATE classes 22 (data exception), 23 (constraint violation) and 54 (limit exceeded) tell of one row; all others
/// tell of the server, and what failed for one would fail for all.
fn is_about_a_row(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
}

fn refused(error: &sqlx::Error) -> StoreError {
    // A database's message can quote the row that it refused, and with it a phone number.
    match error.as_database_error() {
        Some(database) => tracing::error!(
            code = database.code().as_deref(),
            table = database.table(),
            constraint = database.constraint(),
            "Postgres refused to store events"
        ),
        None => tracing::error!(%error, "events could not be stored"),
    }
    StoreError::Refused
}
