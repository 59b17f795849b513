//! Whether this process can do its work now: what `/health/ready` answers, on both listeners.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::PgPool;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::inbox::Condition;

/// How long the database may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// How long an answer of the database holds. Anybody may ask the probe, and is to cost it no more than this.
const HOLDS: Duration = Duration::from_secs(1);

/// What is known of it.
#[derive(Clone)]
pub struct Readiness {
    pool: PgPool,
    writer: Condition,
    started: Arc<AtomicBool>,
    found: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Readiness {
    /// `pool` is a connection of its own, so that no number of questions is in the way of the work.
    #[must_use]
    pub fn new(pool: PgPool, writer: Condition) -> Self {
        Self { pool, writer, started: Arc::default(), found: Arc::default() }
    }

    /// The tables are there, and the process has begun its work.
    pub fn has_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Whether events are stored and jobs are run; where not, why.
    ///
    /// # Errors
    ///
    /// They are not.
    pub async fn now(&self) -> Result<(), &'static str> {
        if !self.started.load(Ordering::Relaxed) {
            return Err("starting");
        }
        if self.writer.is_in_trouble() {
            return Err("events can't be stored");
        }
        let mut found = self.found.lock().await;
        let takes_writes = match *found {
            Some((at, takes_writes)) if at.elapsed() < HOLDS => takes_writes,
            _ => {
                let asked = self.ask().await;
                *found = Some((Instant::now(), asked));
                asked
            }
        };
        if takes_writes { Ok(()) } else { Err("the database does not answer, or takes no writes") }
    }

    /// An insert of nothing costs nothing, and is refused where an event would be: without the table, without the right, by
    /// a standby. What only a real one meets, a full disk say, the writer tells.
    async fn ask(&self) -> bool {
        let insert = sqlx::query("insert into call_event select * from call_event where false");
        let answer = timeout(PATIENCE, insert.execute(&self.pool)).await;
        match answer.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(%error, "not ready");
                false
            }
        }
    }
}
