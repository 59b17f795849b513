//! Deletes the data of calls that have been kept for `RETENTION_DAYS`, and the rows of finished jobs after a day.
//!
//! One process at a time does it, in small transactions with breaths between them, so that no delivery waits for it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};
use tokio::time::{Instant, sleep};

use super::{
    pruning::{Pruned, prune_old},
    tasks::removal,
};
use crate::db;

/// The advisory lock of the process that deletes: any number that nobody else uses.
const DELETING: i64 = 0x7072_756e_696e_6700;

/// How often it is looked for what is to go.
const LOOK: Duration = Duration::from_hours(1);

/// How often all calls are looked at, in place of those that have become old since the last look: what a job held back
/// then may go now.
const LOOK_AT_ALL: Duration = Duration::from_hours(24);

/// The wait after a look that failed.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// The most events that are looked at in one transaction. What it writes into the log of the database stands before a
/// delivery's commit, which waits until the disk has both: so it is little.
const CHUNK: i64 = 25;

/// The shortest breath.
const BREATH: Duration = Duration::from_millis(10);

/// The place of an event in the order in which they were received.
#[derive(Clone)]
struct Place {
    received_at: DateTime<Utc>,
    event_id: String,
}

impl Place {
    /// Before the first.
    fn start() -> Self {
        Self { received_at: DateTime::UNIX_EPOCH, event_id: String::new() }
    }
}

/// Deletes what is to go, at once and then every hour; for ever. With 0 days, calls stay.
pub async fn watch(pool: PgPool, days: u16) {
    let (mut place, mut began) = (Place::start(), Instant::now());
    loop {
        if began.elapsed() >= LOOK_AT_ALL {
            (place, began) = (Place::start(), Instant::now());
        }
        let mut pruned = Pruned::default();
        let looked = look(&pool, days, &mut place, &mut pruned).await;
        let Pruned { calls, events, attempts, jobs } = pruned;
        if pruned != Pruned::default() {
            tracing::info!(
                calls,
                events,
                attempts,
                jobs,
                "deleted what has been kept long enough (RETENTION_DAYS)"
            );
        }
        match looked {
            Ok(()) => sleep(LOOK).await,
            Err(error) => {
                tracing::warn!(%error, "what has been kept long enough can't be deleted now: it is tried again in a minute");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Deletes what is to go after this place, where no other process is at it. It ends at the last call that is old.
async fn look(pool: &PgPool, days: u16, place: &mut Place, pruned: &mut Pruned) -> sqlx::Result<()> {
    let mut connection = pool.acquire().await?;
    // The lock ends with the connection, whatever becomes of us.
    connection.close_on_drop();
    let free = sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "free!""#, DELETING);
    if !db::within(free.fetch_one(&mut *connection)).await? {
        return Ok(());
    }
    // What a crash takes back is deleted at a later look, so no disk need be waited for.
    sqlx::query!("set synchronous_commit = off").execute(&mut *connection).await?;
    finished_jobs(&mut connection, pruned).await?;
    if days > 0 && clocks_agree(&mut connection).await? {
        old_calls(&mut connection, i32::from(days), place, pruned).await?;
    }
    Ok(())
}

/// Whether the database's clock says what ours does, within an hour. Of two that differ, one would delete what is young.
async fn clocks_agree(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let theirs = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#);
    let theirs = db::within(theirs.fetch_one(connection)).await?;
    let apart = (theirs - Utc::now()).abs();
    if apart > TimeDelta::hours(1) {
        tracing::error!(
            seconds = apart.num_seconds(),
            "no call's data is deleted: the database's clock and this machine's differ, set them right"
        );
    }
    Ok(apart <= TimeDelta::hours(1))
}

async fn finished_jobs(connection: &mut PgConnection, pruned: &mut Pruned) -> sqlx::Result<()> {
    let mut last = Some(String::new());
    while let Some(after) = last {
        let begun = Instant::now();
        let looked = db::within(removal::remove_finished(connection, &after)).await?;
        pruned.jobs += looked.removed;
        last = looked.last;
        breathe(begun).await;
    }
    Ok(())
}

async fn old_calls(
    connection: &mut PgConnection,
    days: i32,
    place: &mut Place,
    pruned: &mut Pruned,
) -> sqlx::Result<()> {
    loop {
        let begun = Instant::now();
        let chunk = sqlx::query!(
            r#"
            select event_id, call_id, received_at, pruned_at is null as "whole!"
            from call_event
            where received_at >= $1 and (received_at, event_id) > ($1, $2)
              and received_at < now() - make_interval(days => $3)
            order by received_at, event_id limit $4
            "#,
            place.received_at,
            place.event_id,
            days,
            CHUNK,
        );
        let mut chunk = db::within(chunk.fetch_all(&mut *connection)).await?;
        let Some(last) = chunk.pop() else { return Ok(()) };
        let end = Place { received_at: last.received_at, event_id: last.event_id.clone() };
        chunk.push(last);
        let call_ids: Vec<String> =
            chunk.into_iter().filter(|event| event.whole).map(|event| event.call_id).collect();
        if !call_ids.is_empty() {
            *pruned += db::within(prune_old(connection, &call_ids, days)).await?;
        }
        *place = end;
        breathe(begun).await;
    }
}

/// Leaves the disk and the processors to deliveries for four times as long as what began then has taken.
async fn breathe(begun: Instant) {
    sleep((4 * begun.elapsed()).max(BREATH)).await;
}
