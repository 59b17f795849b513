//! Calls by how their jobs stand.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use clap::ValueEnum;
use sqlx::PgPool;
use ulid::Ulid;

/// The most events that are looked through to count calls one by one.
const MOST_COUNTED: i32 = 2000;

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
    // By the index of those rows alone, however many jobs are done.
    sqlx::query_scalar!(
        "
        select call_id from call_event
        where event_id in (
            select idempotency_key from apalis.jobs
            where status = 'Pending' or (status = 'Failed' and attempts < max_attempts)
            union
            select idempotency_key from apalis.jobs where status in ('Running', 'Queued')
        ) and ($1::timestamptz is null or received_at <= $1)
        order by received_at desc limit $2
        ",
        latest,
        most,
    )
    .fetch_all(pool)
    .await
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
    // From the newest job on: an id begins with the time at which its job was enqueued.
    let bound = latest.and_then(|latest| latest.checked_add_signed(ENQUEUED_WITHIN));
    let bound = bound.map(|bound| bound.timestamp_millis().unsigned_abs()).filter(|ms| *ms <= LATEST_ULID);
    sqlx::query_scalar!(
        "
        select call_id from apalis.jobs join call_event on event_id = idempotency_key
        where jobs.status = 'Killed' and ($1::text is null or id <= $1)
          and ($2::timestamptz is null or received_at <= $2)
        order by id desc limit $3
        ",
        bound.map(|bound| Ulid::from_parts(bound, u128::MAX).to_string()),
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

/// How many calls stand so.
pub(crate) struct Counts {
    /// All there are.
    pub(crate) all: Count,
    /// [`Progress::Done`].
    pub(crate) done: Count,
    /// [`Progress::Ongoing`].
    pub(crate) in_progress: Count,
    /// [`Progress::GivenUp`].
    pub(crate) given_up: Count,
}

/// A number of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// This one.
    Exactly(i64),
    /// Around this one: as the planner of the database believes, or of jobs, of which a call has some.
    About(i64),
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Self::Exactly(calls) => write!(f, "{calls}"),
            Self::About(calls @ 1_000_000..) => {
                write!(f, "~{}.{} M", calls / 1_000_000, calls / 100_000 % 10)
            }
            Self::About(calls @ 1000..) => write!(f, "~{} k", calls / 1000),
            Self::About(calls) => write!(f, "~{calls}"),
        }
    }
}

/// Counts calls: one by one while there are few, and else by what the planner knows of them. So many jobs are in progress, and
/// so many were given up.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn count(pool: &PgPool, in_progress: i64, given_up: i64) -> sqlx::Result<Counts> {
    let few = sqlx::query_scalar!(
        r#"select count(*) <= $1 as "few!" from (select from call_event limit $1::int + 1) as event"#,
        MOST_COUNTED,
    );
    if few.fetch_one(pool).await? {
        return one_by_one(pool).await;
    }
    let all = sqlx::query_scalar!(
        r#"
        select case when n_distinct < 0 then - n_distinct * reltuples else n_distinct end::int8 as "calls!"
        from pg_class join pg_stats on tablename = relname and schemaname = relnamespace::regnamespace::text
        where pg_class.oid = 'call_event'::regclass and attname = 'call_id'
        "#
    );
    // Nothing is known before the first analysis, which comes with so many.
    let all = all.fetch_optional(pool).await?.unwrap_or_default().max(MOST_COUNTED.into());
    Ok(Counts {
        all: Count::About(all),
        done: Count::About((all - in_progress - given_up).max(0)),
        in_progress: Count::About(in_progress),
        given_up: Count::About(given_up),
    })
}

async fn one_by_one(pool: &PgPool) -> sqlx::Result<Counts> {
    let counted = sqlx::query!(
        r#"
        select count(distinct call_id) as "all!",
               count(distinct call_id) filter (where job.status <> 'Killed') as "in_progress!",
               count(distinct call_id) filter (where job.status = 'Killed') as "given_up!",
               count(distinct call_id) filter (where job.status is not null) as "open!"
        from call_event left join (
            select idempotency_key, status from apalis.jobs where status <> 'Done'
        ) as job on event_id = idempotency_key
        "#
    )
    .fetch_one(pool)
    .await?;
    Ok(Counts {
        all: Count::Exactly(counted.all),
        done: Count::Exactly(counted.all - counted.open),
        in_progress: Count::Exactly(counted.in_progress),
        given_up: Count::Exactly(counted.given_up),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_calls_are_told_in_round_numbers() {
        let told = [Count::Exactly(1999), Count::About(30), Count::About(52_321), Count::About(1_450_000)];
        assert_eq!(told.map(|count| count.to_string()), ["1999", "~30", "~52 k", "~1.4 M"]);
    }
}
