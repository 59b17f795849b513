//! The rows of apalis' table `apalis.jobs`, each of which is a job to be done for one event. `inbox` writes them together
//! with the event; the index on their idempotency key refuses a second one for the same event and job.

#[cfg(feature = "console")]
pub(crate) mod again;
pub(crate) mod calls;
#[cfg(feature = "console")]
pub(crate) mod count;
pub mod given_up;
pub(crate) mod open;
pub(crate) mod removal;

use std::time::Duration;

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
        select job_queue.name as "job!", oldest.run_at as "since!",
               extract(epoch from now() - oldest.run_at)::float8 as "seconds!",
               exists (
                   select from apalis.workers
                   where worker_type = job_queue.name and last_seen > now() - interval '1 minute'
               ) as "served!"
        from job_queue cross join lateral (
            select run_at from apalis.jobs
            where job_type = job_queue.name and (status = 'Pending' or (status = 'Failed' and attempts < max_attempts))
            order by priority desc, run_at limit 1
        ) as oldest
        where oldest.run_at < now() - interval '1 minute'
        "#
    )
    .fetch_all(connection)
    .await
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
