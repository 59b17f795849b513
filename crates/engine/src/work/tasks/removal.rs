//! How rows of `apalis.jobs` go: a day after their end, or with their call's data.

use std::time::Duration;

use chrono::Utc;
use sqlx::PgConnection;
use ulid::Ulid;

/// How long a finished job's row stays: people look for it there while it is new, and after that in the table `attempt`.
const KEPT: Duration = Duration::from_hours(24);

/// How many rows are looked at in one statement.
const CHUNK: i64 = 100;

/// Of each job of these events that waits, runs, or was given up, the event.
pub(crate) async fn open(connection: &mut PgConnection, event_ids: &[String]) -> sqlx::Result<Vec<String>> {
    // A look into the index for each event and queue, as in the view `call_job`; `limit 1` of what is unique keeps a planner
    // that believes that hardly a job is open from reading them all.
    sqlx::query_scalar!(
        r#"
        select event_id as "event_id!"
        from unnest($1::text[]) as event_id cross join job_queue cross join lateral (
            select status from apalis.jobs where job_type = name and idempotency_key = event_id limit 1
        ) as queued
        where status <> 'Done'
        "#,
        event_ids,
    )
    .fetch_all(connection)
    .await
}

/// Removes the rows of these events but for jobs in the hand of a worker that lives; returns how many. A removed job that
/// was not done never runs: to be fetched it must be there.
pub(crate) async fn remove(connection: &mut PgConnection, event_ids: &[String]) -> sqlx::Result<u64> {
    let removed = sqlx::query!(
        r#"
        delete from apalis.jobs
        using unnest($1::text[]) as event_id cross join job_queue cross join lateral (
            select id from apalis.jobs where job_type = name and idempotency_key = event_id limit 1
        ) as queued
        where jobs.id = queued.id
          and not (status in ('Queued', 'Running') and exists (
              select from apalis.workers where workers.id = lock_by and last_seen > now() - interval '1 minute'
          ))
        "#,
        event_ids,
    );
    Ok(removed.execute(connection).await?.rows_affected())
}

/// What became of some rows.
pub(crate) struct Looked {
    /// The last of them, where there are more.
    pub(crate) last: Option<String>,
    pub(crate) removed: u64,
}

/// Of the next rows after this one, in the order of their ids, removes those that are finished for a day.
///
/// One whose last attempt has no end stays: without it, nobody would know that it is done.
pub(crate) async fn remove_finished(connection: &mut PgConnection, after: &str) -> sqlx::Result<Looked> {
    // An id begins with the time at which its job was enqueued. What is younger than a day can't be finished for a day.
    let before = (Utc::now() - KEPT).timestamp_millis();
    let before = Ulid::from_parts(before.unsigned_abs(), 0).to_string();
    let looked = sqlx::query!(
        r#"
        with chunk as (
            select id, job_type, idempotency_key from apalis.jobs where id > $1 and id < $2 order by id limit $3
        ), removed as (
            delete from apalis.jobs using chunk cross join lateral (
                select result from attempt where event_id = chunk.idempotency_key and job = chunk.job_type
                order by number desc limit 1
            ) as last
            where jobs.id = chunk.id and status = 'Done' and done_at < now() - make_interval(secs => $4)
              and last.result in ('done', 'skipped')
            returning jobs.id
        )
        select max(id) as last, count(*) as "looked!", (select count(*) from removed) as "removed!" from chunk
        "#,
        after,
        before,
        CHUNK,
        KEPT.as_secs_f64(),
    )
    .fetch_one(connection)
    .await?;
    let last = looked.last.filter(|_| looked.looked == CHUNK);
    Ok(Looked { last, removed: looked.removed.unsigned_abs() })
}
