//! Jobs that a person lets run: now instead of later, or once more.

use sqlx::{PgConnection, PgPool};
use ulid::Ulid;

/// Lets what is not done of an event's jobs run now: what was given up, and what waits for its next try. Returns the jobs.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn run_missing(pool: &PgPool, event_id: &str) -> sqlx::Result<Vec<String>> {
    // The queue hears of an attempt's end a moment after the record of it: until then it holds the job as Running. Its
    // acknowledgement leaves the next start as it is, and finds nothing of what has no lock.
    sqlx::query_scalar!(
        "
        update apalis.jobs
        set status = case when given_up then 'Pending' else status end, run_at = now(),
            lock_by = case when given_up then null else lock_by end,
            lock_at = case when given_up then null else lock_at end,
            done_at = case when given_up then null else done_at end
        from call_job cross join lateral (select call_job.state = 'given up' as given_up) as fate
        where call_job.event_id = $1 and job_type = call_job.job and idempotency_key = $1
          and call_job.state in ('given up', 'retrying', 'paused', 'waiting') and status <> 'Done'
        returning job_type
        ",
        event_id,
    )
    .fetch_all(pool)
    .await
}

/// Lets a job of an event run once more that is done or was skipped. The receipts of its call, by which it would find
/// itself done, count no longer; how often it runs at the vendor is up to what it finds there.
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
            update receipt set voided_at = clock_timestamp()
            from call_event as this join call_event as other using (call_id)
            where this.event_id = $1 and receipt.event_id = other.event_id and job = $2 and voided_at is null
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

/// A finished job's row goes after a day: then it gets a new one, as the inbox writes it.
async fn enqueue_again(connection: &mut PgConnection, event_id: &str, job: &str) -> sqlx::Result<bool> {
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
        Ulid::generate().to_string(),
    );
    Ok(enqueued.execute(connection).await?.rows_affected() > 0)
}
