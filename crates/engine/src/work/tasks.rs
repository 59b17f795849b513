//! The rows of apalis' table `apalis.jobs`, each of which is a job to be done for one event. `inbox` writes them together
//! with the event; the index on their idempotency key refuses a second one for the same event and job.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use crate::db;

/// Moves a running job's next start; apalis' acknowledgement leaves it there. It outlives every restart.
pub(crate) async fn postpone(
    connection: &mut PgConnection,
    task_id: &str,
    wait: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update apalis.jobs set run_at = clock_timestamp() + make_interval(secs => $2) where id = $1",
        task_id,
        wait.as_secs_f64(),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Whether an event has a job of this name, in whatever state.
pub(crate) async fn has(pool: &PgPool, job: &str, event_id: &str) -> sqlx::Result<bool> {
    let query = sqlx::query_scalar!(
        r#"
        select exists (select from apalis.jobs where job_type = $1 and idempotency_key = $2)
            or exists (select from attempt where job = $1 and event_id = $2) as "has!"
        "#,
        job,
        event_id,
    );
    db::within(query.fetch_one(pool)).await
}

/// The queues with a job that is due for a minute and not begun.
///
/// # Errors
///
/// The database can't be asked.
pub async fn waiting(connection: &mut PgConnection) -> sqlx::Result<Vec<Waiting>> {
    // One look into the index by which jobs are fetched for each queue, however many jobs wait.
    sqlx::query_as!(
        Waiting,
        r#"
        with recursive queue (name) as (
            select min(job_type) from apalis.jobs
            union all
            select (select min(job_type) from apalis.jobs where job_type > name) from queue where name is not null
        )
        select queue.name as "job!", oldest.run_at as "since!",
               extract(epoch from now() - oldest.run_at)::float8 as "seconds!",
               exists (
                   select from apalis.workers
                   where worker_type = queue.name and last_seen > now() - interval '1 minute'
               ) as "served!"
        from queue cross join lateral (
            select run_at from apalis.jobs
            where job_type = queue.name and (status = 'Pending' or (status = 'Failed' and attempts < max_attempts))
            order by priority desc, run_at limit 1
        ) as oldest
        where oldest.run_at < now() - interval '1 minute'
        "#
    )
    .fetch_all(connection)
    .await
}

/// How many jobs of each queue are not done.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn depths(pool: &PgPool) -> sqlx::Result<BTreeMap<String, Depth>> {
    // Each part by the index of those rows alone, however many jobs are done; a queue of which nothing is left is a row, too.
    let rows = sqlx::query!(
        r#"
        with recursive queue (name) as (
            select min(job_type) from apalis.jobs
            union all
            select (select min(job_type) from apalis.jobs where job_type > name) from queue where name is not null
        )
        select name as "job!", 0 as "waiting!", 0 as "retrying!", 0 as "running!", 0 as "given_up!", 0::float8 as "oldest!"
        from queue where name is not null
        union all
        select job_type, (count(*) filter (where status = 'Pending'))::int,
               (count(*) filter (where status = 'Failed'))::int, 0, 0,
               coalesce(extract(epoch from now() - min(run_at) filter (where run_at < now())), 0)::float8
        from apalis.jobs where status = 'Pending' or (status = 'Failed' and attempts < max_attempts) group by job_type
        union all
        select job_type, 0, 0, count(*)::int, 0, 0 from apalis.jobs where status in ('Running', 'Queued') group by job_type
        union all
        select job_type, 0, 0, 0, count(*)::int, 0 from apalis.jobs where status = 'Killed' group by job_type
        "#
    )
    .fetch_all(pool)
    .await?;
    let mut depths = BTreeMap::<String, Depth>::new();
    for row in rows {
        let depth = depths.entry(row.job).or_default();
        depth.waiting += row.waiting;
        depth.retrying += row.retrying;
        depth.running += row.running;
        depth.given_up += row.given_up;
        depth.oldest_seconds += row.oldest;
    }
    Ok(depths)
}

/// Jobs that are not done, as a person looks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// Those that go on by themselves.
    InProgress,
    /// Those that wait for a person.
    GivenUp,
}

/// The calls with such a job, those of the newest events first, so many at the most.
#[cfg(feature = "console")]
pub(crate) async fn unfinished_calls(
    pool: &PgPool,
    which: Unfinished,
    most: i64,
) -> sqlx::Result<Vec<String>> {
    // Each part by the index of those rows alone, however many jobs are done.
    match which {
        Unfinished::InProgress => {
            sqlx::query_scalar!(
                "
                with unfinished as (
                    select idempotency_key from apalis.jobs
                    where status = 'Pending' or (status = 'Failed' and attempts < max_attempts)
                    union
                    select idempotency_key from apalis.jobs where status in ('Running', 'Queued')
                )
                select call_id from call_event join unfinished on event_id = idempotency_key
                order by received_at desc limit $1
                ",
                most,
            )
            .fetch_all(pool)
            .await
        }
        Unfinished::GivenUp => {
            sqlx::query_scalar!(
                "
                select call_id from call_event join apalis.jobs on event_id = idempotency_key where jobs.status = 'Killed'
                order by received_at desc limit $1
                ",
                most,
            )
            .fetch_all(pool)
            .await
        }
    }
}

/// Lets jobs of this name that were given up run anew, those of one event or all; returns how many.
///
/// # Errors
///
/// The database can't be asked.
pub async fn run_anew(pool: &PgPool, job: &str, event_id: Option<&str>) -> sqlx::Result<u64> {
    let rows = sqlx::query!(
        "
        update apalis.jobs set status = 'Pending', run_at = now(), lock_by = null, lock_at = null, done_at = null
        where job_type = $1 and status = 'Killed' and ($2::text is null or idempotency_key = $2)
        ",
        job,
        event_id,
    )
    .execute(pool)
    .await?;
    Ok(rows.rows_affected())
}

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

/// What stands in a queue, and is not done.
#[derive(Debug, Default)]
pub(crate) struct Depth {
    /// Jobs that have not begun.
    pub(crate) waiting: i32,
    /// Jobs that come back after a failure or a pause.
    pub(crate) retrying: i32,
    /// Jobs that a worker has in hand.
    pub(crate) running: i32,
    /// Jobs that a person may let run anew.
    pub(crate) given_up: i32,
    /// For how long the oldest that is due has not begun, in seconds; 0 where none is.
    pub(crate) oldest_seconds: f64,
}
