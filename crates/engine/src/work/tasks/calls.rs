//! Calls by how their jobs stand.

use chrono::{DateTime, TimeDelta, Utc};
use clap::ValueEnum;
use sqlx::PgPool;
use ulid::Ulid;

/// How long after its event came a job may have got its id.
const ENQUEUED_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// The latest time that the key of a job can begin with, in milliseconds.
const LATEST_ULID: u64 = (1 << 48) - 1;

/// How many calls are looked through at once for those that are done.
const MOST_LOOKED_AT: i64 = 1000;

/// How a call's jobs stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// One of them goes on by itself.
    #[value(name = "in-progress")]
    Ongoing,
    /// Nothing is left to do.
    Done,
    /// One of them waits for a person.
    #[value(name = "gave-up")]
    GivenUp,
}

/// The calls with a job that waits or runs and of which an event came at this time at the latest, the newest first; so many
/// events at the most.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn in_progress(
    pool: &PgPool,
    latest: Option<DateTime<Utc>>,
    most: i64,
) -> sqlx::Result<Vec<String>> {
    // The events of the newest jobs alone are read: in an outage a hundred thousand wait.
    sqlx::query_scalar!(
        r#"
        select call_id as "call_id!" from (
            select id, idempotency_key from apalis.jobs
            where (status = 'Pending' or (status = 'Failed' and attempts < max_attempts))
              and ($1::text is null or id <= $1)
            union all
            select id, idempotency_key from apalis.jobs
            where status in ('Running', 'Queued') and ($1::text is null or id <= $1)
            order by id desc
        ) as open cross join lateral (
            select call_id, received_at from call_event where event_id = idempotency_key limit 1
        ) as event
        where $2::timestamptz is null or received_at <= $2
        order by id desc limit $3
        "#,
        enqueued_until(latest),
        latest,
        most,
    )
    .fetch_all(pool)
    .await
}

/// The last id of a job whose event came at this time at the latest: it begins with the time at which it was enqueued.
fn enqueued_until(latest: Option<DateTime<Utc>>) -> Option<String> {
    let bound = latest.and_then(|latest| latest.checked_add_signed(ENQUEUED_WITHIN))?;
    let bound = Some(bound.timestamp_millis().unsigned_abs()).filter(|ms| *ms <= LATEST_ULID)?;
    Some(Ulid::from_parts(bound, u128::MAX).to_string())
}

/// The same of calls with a job that was given up.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn given_up(
    pool: &PgPool,
    latest: Option<DateTime<Utc>>,
    most: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "
        select call_id from apalis.jobs join call_event on event_id = idempotency_key
        where jobs.status = 'Killed' and ($1::text is null or id <= $1)
          and ($2::timestamptz is null or received_at <= $2)
        order by id desc limit $3
        ",
        enqueued_until(latest),
        latest,
        most,
    )
    .fetch_all(pool)
    .await
}

/// Calls of which all is done, among the next thousand.
pub(crate) struct Done {
    /// The calls, the newest first.
    pub(crate) calls: Vec<String>,
    /// When the last of those that were looked through came, and its event; none where there is no older one.
    #[cfg_attr(not(feature = "console"), expect(dead_code, reason = "only a page goes on from there"))]
    pub(crate) last: Option<(DateTime<Utc>, String)>,
}

/// Looks through the calls after this one, the newest first. While a vendor is down, hardly one is done.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn done(pool: &PgPool, after: Option<(DateTime<Utc>, &str)>) -> sqlx::Result<Done> {
    let looked = sqlx::query!(
        r#"
        with looked as materialized (
            select call_id, event_id, received_at from call
            where $1::timestamptz is null or received_at <= $1 and (received_at, event_id) < ($1, $2)
            order by received_at desc, event_id desc limit $3
        )
        select call_id as "call_id!", event_id as "event_id!", received_at as "received_at!", not exists (
            select from call_event as event cross join job_queue cross join lateral (
                select status from apalis.jobs where job_type = name and idempotency_key = event.event_id limit 1
            ) as job
            where event.call_id = looked.call_id and job.status <> 'Done'
        ) as "done!"
        from looked order by received_at desc, event_id desc
        "#,
        after.map(|(received_at, _)| received_at),
        after.map(|(_, event_id)| event_id),
        MOST_LOOKED_AT,
    )
    .fetch_all(pool)
    .await?;
    let is_cut = i64::try_from(looked.len()).is_ok_and(|looked| looked == MOST_LOOKED_AT);
    let last = looked.last().filter(|_| is_cut).map(|call| (call.received_at, call.event_id.clone()));
    let calls = looked.into_iter().filter(|call| call.done).map(|call| call.call_id).collect();
    Ok(Done { calls, last })
}
