//! What happened in each hour, for the console: deliveries and runs of jobs by what became of them, calls by how they ended.
//!
//! It is added up in memory and written down every few seconds, so that neither a delivery nor a job waits for it. Nothing but
//! its pages goes by it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::db;

/// How often it is written down.
const EVERY: Duration = Duration::from_secs(5);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Deliveries; the name is the platform's.
    Delivery,
    /// Events that complete a call, by how it ended: answered, unanswered, other; the name is the platform's.
    Call,
    /// Runs of jobs; the name is the job's.
    Job,
}

/// Counts for this process.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

/// In one order in every process: two that write at once wait for each other, and never both.
type Counts = BTreeMap<(DateTime<Utc>, What, &'static str, &'static str), i64>;

impl Tally {
    /// One more that ended so.
    pub(crate) fn count(&self, what: What, name: &'static str, result: &'static str) {
        let now = Utc::now();
        let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
        *self.counts().entry((hour, what, name, result)).or_default() += 1;
    }

    /// Writes it down until it is told to stop, and then once more.
    pub(crate) async fn write_down(self, pool: PgPool, stop: CancellationToken) {
        loop {
            let stops = tokio::select! { () = stop.cancelled() => true, () = sleep(EVERY) => false };
            let counts = std::mem::take(&mut *self.counts());
            if !counts.is_empty()
                && let Err(error) = db::within(write(&pool, &counts)).await
            {
                tracing::debug!(%error, "what was counted can't be written down yet");
                for (of, times) in counts {
                    *self.counts().entry(of).or_default() += times;
                }
            }
            if stops {
                return;
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It is kept for a week.
async fn write(pool: &PgPool, counts: &Counts) -> sqlx::Result<()> {
    let hours: Vec<_> = counts.keys().map(|(hour, ..)| *hour).collect();
    let whats: Vec<_> = counts.keys().map(|(_, what, ..)| what.word().to_owned()).collect();
    let names: Vec<_> = counts.keys().map(|(_, _, name, _)| (*name).to_owned()).collect();
    let results: Vec<_> = counts.keys().map(|(.., result)| (*result).to_owned()).collect();
    let times: Vec<_> = counts.values().copied().collect();
    sqlx::query!(
        "
        with old as (delete from tally where hour < now() - interval '7 days')
        insert into tally (hour, what, name, result, times)
        select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[])
        on conflict (hour, what, name, result) do update set times = tally.times + excluded.times
        ",
        &hours,
        &whats,
        &names,
        &results,
        &times,
    )
    .execute(pool)
    .await
    .map(drop)
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Call => "call",
            Self::Job => "job",
        }
    }
}
