//! Dedupe and enqueue, many calls a commit.
//!
//! Handlers hand their events to one writer task, which writes whatever waits in one transaction. There is no timer: an
//! idle writer commits a single call at once, and calls that come during a commit share the next. Next on the way:
//! [`work`](crate::work).

mod connection;
mod delivery;
mod transaction;
mod writer;

use sqlx::PgPool;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::{
    answer::{Accepted, Refused, StoreError, Stored},
    call::{CALL_COMPLETED, Call, Status},
    guard::Verified,
    job::Enabled,
    metrics,
    telemetry::Safe,
};
pub use delivery::Condition;
use delivery::{Delivery, Entry, Reply};

/// The most calls that wait for the writer; the next one gets 503 at once.
const LONGEST_QUEUE: usize = 4096;

/// The handlers' end of the writer.
#[derive(Clone)]
pub struct Inbox {
    queue: mpsc::Sender<Entry>,
}

impl Inbox {
    /// Starts the writer task over its own small pool; `probe` is another connection, on which it asks the server what became
    /// of it. It ends, with everything written, once the last `Inbox` is dropped.
    #[must_use]
    pub fn start(pool: PgPool, probe: PgPool, jobs: Enabled, condition: Condition) -> (Self, JoinHandle<()>) {
        let (queue, entries) = mpsc::channel(LONGEST_QUEUE);
        (Self { queue }, tokio::spawn(writer::write_all(pool, probe, jobs, condition, entries)))
    }

    /// Stores the event and enqueues its jobs, or finds that it is a repeat; returns after the commit.
    ///
    /// # Errors
    ///
    /// That is not certain by the deadline: the sender must try again, and dedupe makes that harmless.
    pub async fn store(&self, verified: Verified, call: Call) -> Result<Accepted, Refused> {
        let Verified { client, headers, trace_id, body, deadline, memory, .. } = verified;
        let event_id = call.event_id.clone();
        let id = Safe(&event_id);
        tracing::debug!(target: "call", event_id = %id, "--> {} {id}", Safe(&call.event));
        let (ended_at, ending) = (call.ended_at, ending(&call));
        if call.call_id == call.event_id {
            tracing::warn!(event_id = %id, "a delivery of no call is stored, and starts nothing: is it a test of the webhook?");
        }
        let delivery = Delivery { event: call, headers, trace_id, body, _memory: memory };
        let stored = self.write(delivery, deadline).await.map_err(|error| Refused::new(client, error))?;
        if stored == Stored::New {
            metrics::stored(ended_at);
        }
        if let Stored::Duplicate { same_body: false, .. } = stored {
            tracing::warn!(event_id = %id, "a repeat of this event has another body: the first one is kept");
        }
        Ok(Accepted { client, event_id, ending, stored })
    }

    async fn write(&self, delivery: Delivery, deadline: Instant) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Entry { delivery, reply }).map_err(|_| StoreError::Full)?;
        match timeout_at(deadline, answer).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Err(StoreError::Refused),
            Err(_) => Err(StoreError::Late),
        }
    }
}

/// How a call ended, as it is counted.
fn ending(call: &Call) -> Option<&'static str> {
    (call.event == CALL_COMPLETED).then_some(match call.status {
        Some(Status::Answered) => "answered",
        Some(Status::Missed | Status::Abandoned | Status::Voicemail) => "unanswered",
        Some(Status::Other(_)) | None => "other",
    })
}
