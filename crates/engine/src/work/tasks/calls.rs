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

/// The calls that stand so and of which an event came at this time at the latest, the newest first; so many events at the most.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn list(
    pool: &PgPool,
    progress: Progress,
    latest: Option<DateTime<Utc>>,
    most: i64,
) -> sqlx::Result<Vec<String>> {
    match progress {
        // By the index of those rows alone, however many jobs are done.
        Progress::Ongoing => {
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
        // From the newest call on, since nearly all are.
        Progress::Done => {
            sqlx::query_scalar!(
                r#"
                select call_id as "call_id!" from call
                where ($1::timestamptz is null or received_at <= $1) and not exists (
                    select from call_event as event cross join job_queue cross join lateral (
                        select status from apalis.jobs
                        where job_type = name and idempotency_key = event.event_id limit 1
                    ) as job
                    where event.call_id = call.call_id and job.status <> 'Done'
                )
                order by received_at desc limit $2
                "#,
                latest,
                most,
            )
            .fetch_all(pool)
            .await
        }
        // From the newest job on: an id begins with the time at which its job was enqueued.
        Progress::GivenUp => {
            let bound = latest.map(|latest| (latest + ENQUEUED_WITHIN).timestamp_millis().unsigned_abs());
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
    }
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
    /// Around this one, as the planner of the database believes.
    About(i64),
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Self::Exactly(calls) => write!(f, "{calls}"),
            Self::About(calls @ 1_000_000..) => {
                write!(f, "~{}.{} M", calls / 1_000_000, calls / 100_000 % 10)
            }
            Self::About(calls) => write!(f, "~{} k", calls / 1000),
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
        in_progress: Count::Exactly(in_progress),
        given_up: Count::Exactly(given_up),
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
        let told = [Count::Exactly(1999), Count::About(52_321), Count::About(1_450_000)]
            .map(|count| count.to_string());
        assert_eq!(told, ["1999", "~52 k", "~1.4 M"]);
    }
}
