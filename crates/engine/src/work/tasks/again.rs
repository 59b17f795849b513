//! Jobs that a person lets run: now instead of later, or once more.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::time::sleep;
use ulid::Ulid;

use crate::db;

/// How often, and after how long, the queue is asked again that holds nothing to change.
const TRIES: u32 = 5;
const AGAIN: Duration = Duration::from_millis(200);

/// Lets what is not done of an event's jobs run now: what was given up, and what waits for its next try. Returns the jobs.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn run_missing(pool: &PgPool, event_id: &str) -> sqlx::Result<Vec<String>> {
    for _ in 1..TRIES {
        let jobs = db::within(move_to_now(pool, event_id)).await?;
        if !jobs.is_empty() {
            return Ok(jobs);
        }
        // The queue hears of an attempt's end a moment after the record of it.
        sleep(AGAIN).await;
    }
    db::within(move_to_now(pool, event_id)).await
}

/// A job that a worker has in hand stays locked; the acknowledgement of its failure leaves the next start as it is.
async fn move_to_now(pool: &PgPool, event_id: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "
        update apalis.jobs
        set status = case when status = 'Killed' then 'Pending' else status end, run_at = now(),
            done_at = case when status = 'Killed' then null else done_at end,
            lock_by = case when status = 'Killed' then null else lock_by end,
            lock_at = case when status = 'Killed' then null else lock_at end
        from call_job
        where call_job.event_id = $1 and job_type = call_job.job and idempotency_key = $1
          and (
              status = 'Killed'
              or run_at > now() and (status in ('Failed', 'Pending') or call_job.state in ('retrying', 'paused'))
          )
        returning job_type
        ",
        event_id,
    )
    .fetch_all(pool)
    .await
}

/// Lets a job of an event run once more that is done or was skipped. The receipt by which it would find itself done counts
/// no longer: its own, or, where it has none, that of another event of its call. What it makes is up to what it finds at the
/// vendor.
///
/// Returns whether it will: not where the job has not ended, or where the call's data was deleted.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn run_again(pool: &PgPool, event_id: &str, job: &str) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    let again = enqueue_again(&mut transaction, event_id, job).await?;
    if again {
        sqlx::query!(
            "
            with voided as (
                delete from receipt
                using call_event as this join call_event as other using (call_id)
                where this.event_id = $1 and receipt.event_id = other.event_id and receipt.job = $2
                  and (
                      receipt.event_id = $1
                      or not exists (select from receipt as own where own.event_id = $1 and own.job = $2)
                  )
                returning receipt.*
            )
            insert into voided_receipt (event_id, job, destination, made, external_id, url, created_at)
            select event_id, job, destination, made, external_id, url, created_at from voided
            ",
            event_id,
            job,
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(again)
}

/// A finished job's row goes after a day: then it gets a new one, as the inbox writes it. Its id begins with the time at which
/// the event came, by which lists of calls are ordered.
async fn enqueue_again(connection: &mut PgConnection, event_id: &str, job: &str) -> sqlx::Result<bool> {
    let came = sqlx::query_scalar!("select received_at from call_event where event_id = $1", event_id);
    let Some(came) = came.fetch_optional(&mut *connection).await? else { return Ok(false) };
    let id = Ulid::from_parts(came.timestamp_millis().unsigned_abs(), Ulid::generate().random());
    let enqueued = sqlx::query!(
        "
        insert into apalis.jobs (id, job_type, idempotency_key, job, max_attempts, run_at, metadata)
        select $3, job, event_id, convert_to(to_json(event_id)::text, 'UTF8'), 2147483647, date_trunc('second', now()), ''
        from call_job join call_event using (event_id)
        where event_id = $1 and job = $2 and state in ('done', 'skipped') and pruned_at is null
        on conflict (job_type, idempotency_key) do update
        set status = 'Pending', run_at = excluded.run_at, lock_by = null, lock_at = null, done_at = null
        where jobs.status = 'Done'
        ",
        event_id,
        job,
        id.to_string(),
    );
    Ok(enqueued.execute(connection).await?.rows_affected() > 0)
}
