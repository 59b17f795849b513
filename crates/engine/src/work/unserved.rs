//! Jobs that no worker serves: a receiver's JOBS names what no worker's does, or no worker is up.

use std::{collections::BTreeSet, time::Duration};

use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};

use super::tasks::{self, Waiting};
use crate::{db, telemetry::Safe};

/// How often it is looked for them.
const LOOK: Duration = Duration::from_secs(15);

/// Names queues that no worker serves in the log, each once until it is served again; for ever.
pub async fn watch(pool: PgPool) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = BTreeSet::new();
    loop {
        look.tick().await;
        let found = db::within(async {
            let mut connection = pool.acquire().await?;
            tasks::waiting(&mut connection).await
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
