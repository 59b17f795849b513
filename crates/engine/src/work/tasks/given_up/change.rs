//! What a person does about jobs that were given up.

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgPool};

use super::{GivenUp, ROUND, Which, candidates, matching};
use crate::db;

/// How many jobs are changed in one transaction. It holds their locks for some tenths of a second, for which whoever deletes
/// a call's data waits, and no delivery.
const CHUNK: usize = 500;

/// Why a job ended as skipped that a person has discarded, in the column `attempt.reason`.
const DISCARDED: &str = "discarded by a person";

/// Lets those jobs run anew, with all their tries; returns how many of each name.
///
/// # Errors
///
/// The database can't be asked. What was changed until then stays so.
pub async fn retry(pool: &PgPool, which: &Which<'_>) -> sqlx::Result<BTreeMap<String, u64>> {
    change(pool, which, Change::Retry).await
}

/// Discards those jobs: they end as skipped, and never run. Returns how many of each name.
///
/// # Errors
///
/// The database can't be asked. What was changed until then stays so.
pub async fn discard(pool: &PgPool, which: &Which<'_>) -> sqlx::Result<BTreeMap<String, u64>> {
    change(pool, which, Change::Discard).await
}

#[derive(Clone, Copy)]
enum Change {
    Retry,
    Discard,
}

/// Each of them once: what runs anew and is given up once more while this goes on is not looked at again.
async fn change(pool: &PgPool, which: &Which<'_>, change: Change) -> sqlx::Result<BTreeMap<String, u64>> {
    let mut changed = BTreeMap::new();
    for round in candidates(pool, which).await?.chunks(ROUND) {
        for chunk in matching(pool, which, round).await?.chunks(CHUNK) {
            for job in db::within(change_chunk(pool, chunk, change)).await? {
                *changed.entry(job).or_default() += 1;
            }
        }
    }
    Ok(changed)
}

/// Changes those of these jobs that are still given up. Another person may be at them at this moment: whoever locks them
/// first has them. Returns the names of those that were changed.
async fn change_chunk(pool: &PgPool, chunk: &[GivenUp], change: Change) -> sqlx::Result<Vec<String>> {
    let event_ids: Vec<_> = chunk.iter().map(|job| job.event_id.clone()).collect();
    let task_ids: Vec<_> = chunk.iter().map(|job| job.task_id.clone()).collect();
    let mut transaction = pool.begin().await?;
    // Events before jobs and each in order, as whoever deletes a call's data locks them: else the two would deadlock.
    sqlx::query!(
        "select event_id from call_event where event_id = any($1) order by event_id for key share",
        &event_ids,
    )
    .fetch_all(&mut *transaction)
    .await?;
    let locked = sqlx::query!(
        "select id, job_type from apalis.jobs where id = any($1) and status = 'Killed' order by id for update",
        &task_ids,
    )
    .fetch_all(&mut *transaction)
    .await?;
    let (task_ids, jobs): (Vec<_>, Vec<_>) = locked.into_iter().map(|job| (job.id, job.job_type)).unzip();
    match change {
        Change::Retry => run_anew(&mut transaction, &task_ids).await?,
        Change::Discard => skip(&mut transaction, &task_ids).await?,
    }
    transaction.commit().await?;
    Ok(jobs)
}

async fn run_anew(connection: &mut PgConnection, task_ids: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update apalis.jobs set status = 'Pending', run_at = now(), lock_by = null, lock_at = null, done_at = null
        where id = any($1)
        ",
        task_ids,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// An attempt that does nothing is how the job ended: the view `call_job` tells it, and its row may go after a day. Without
/// a worker's name in it, no acknowledgement that comes late finds the row.
async fn skip(connection: &mut PgConnection, task_ids: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with discarded as (
            update apalis.jobs set status = 'Done', lock_by = null, lock_at = null, done_at = now()
            where id = any($1)
            returning job_type, idempotency_key
        )
        insert into attempt (event_id, job, number, started_at, ended_at, destination, result, reason)
        select event_id, job_type, coalesce(last.number, 0) + 1, now(), now(), coalesce(last.destination, ''), 'skipped', $2
        from discarded join call_event on event_id = idempotency_key
        left join lateral (
            select number, destination from attempt
            where attempt.event_id = idempotency_key and attempt.job = job_type
            order by number desc limit 1
        ) as last on true
        ",
        task_ids,
        DISCARDED,
    )
    .execute(connection)
    .await
    .map(drop)
}
