//! Queues in which jobs wait, and those that no worker serves: a receiver's JOBS names what no worker's does, or no worker
//! is up.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};

use super::queue;
use crate::{db, telemetry::Safe};

/// How often it is looked for them.
const LOOK: Duration = Duration::from_secs(15);

/// A queue with a job that is due for a minute and not begun.
#[derive(Debug)]
pub struct Waiting {
    /// The job's name.
    pub job: String,
    /// Since when the oldest of them is due.
    pub since: DateTime<Utc>,
    /// How long that is by the database's clock, in seconds.
    pub seconds: f64,
    /// Whether a worker of the queue has shown itself in the last minute.
    pub served: bool,
}

/// Names queues that no worker serves in the log, each once until it is served again; for ever.
pub async fn watch(pool: PgPool) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = BTreeSet::new();
    loop {
        look.tick().await;
        let found = db::within(async {
            let mut connection = pool.acquire().await?;
            queue::waiting(&mut connection).await
        });
        // A database that is away is told by whoever needs it.
        let Ok(mut found) = found.await else { continue };
        found.retain(|waiting| !waiting.served);
        for Waiting { job, since, .. } in &found {
            if !known.contains(job) {
                let since = since.format("%Y-%m-%d %H:%M:%S UTC");
                tracing::warn!(
                    "jobs of {job} wait since {since}, and no worker serves them: name {job} in the JOBS of a worker",
                    job = Safe(job)
                );
            }
        }
        known = found.into_iter().map(|waiting| waiting.job).collect();
    }
}
