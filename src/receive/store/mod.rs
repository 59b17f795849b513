//! 3. Dedupe and enqueue, many calls a commit.
//!
//! Handlers hand their events to one writer task, which writes whatever waits in one transaction. There is no timer: an
//! idle writer commits a single call at once, and calls that come during a commit share the next. Next on the way:
//! [`work`](crate::work).

mod connection;
mod delivery;
mod transaction;
mod writer;

use std::time::Duration;

use sqlx::PgPool;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::job::Enabled;
pub use delivery::{Condition, Delivery, StoreError, Stored};
use delivery::{Entry, Reply};

/// The most calls that wait for the writer; the next one gets 503 at once.
const LONGEST_QUEUE: usize = 4096;

/// How long a request that has arrived waits for memory and its commit: an answer within 1 s leaves the platform time to try
/// again.
pub(super) const PATIENCE: Duration = Duration::from_millis(900);

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
