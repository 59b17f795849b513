//! Jobs that are not done: how many, and which.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::PgPool;

use super::given_up::{Alike, Cause, Which};
use crate::{db, search::EndOfNumber};

/// How many jobs are looked at in one statement, to let them run.
const CHUNK: i64 = 500;

/// How many jobs of each queue are not done; of those that wait or come back, a hundred thousand at the most are counted.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn depths(pool: &PgPool) -> sqlx::Result<BTreeMap<String, Depth>> {
    // Each part by the index of those rows alone, however many jobs are done; the oldest is the first that would be fetched.
    let rows = sqlx::query!(
        r#"
        select name as "job!", waiting as "waiting!", retrying as "retrying!", 0 as "running!", 0 as "given_up!",
               coalesce((
                   select greatest(extract(epoch from now() - run_at), 0) from apalis.jobs
                   where job_type = name and (status = 'Pending' or (status = 'Failed' and attempts < max_attempts))
                   order by priority desc, run_at limit 1
               ), 0)::float8 as "oldest!"
        from job_queue cross join lateral (
            select (count(*) filter (where status = 'Pending'))::int as waiting,
                   (count(*) filter (where status = 'Failed'))::int as retrying
            from (
                select status from apalis.jobs
                where job_type = name and (status = 'Pending' or (status = 'Failed' and attempts < max_attempts))
                limit 100000
            ) as first
        ) as counted
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

/// Jobs of the newest thousand events with one that goes on by itself, as rows of the view `call_job`; times are those at
/// which the events came.
pub(crate) async fn list(
    pool: &PgPool,
    which: &Which<'_>,
    state: Option<&str>,
    most: i64,
) -> sqlx::Result<Vec<Value>> {
    let cause = cause(which);
    sqlx::query_scalar!(
        r#"
        select to_jsonb(call_job) as "job!: Value" from call_job
        where event_id = any (array(
            select event_id from call_event
            where event_id in (
                select idempotency_key from apalis.jobs
                where status = 'Pending' or (status = 'Failed' and attempts < max_attempts)
                union
                select idempotency_key from apalis.jobs where status in ('Running', 'Queued')
            )
              and ($1::text is null or event_id = $1)
              and ($2::text is null
                  or reverse(right(regexp_replace(from_number, '[^0-9]', '', 'g'), 20)) like $2
                  or reverse(right(regexp_replace(to_number, '[^0-9]', '', 'g'), 20)) like $2)
              and ($3::timestamptz is null or received_at >= $3)
              and ($4::timestamptz is null or received_at <= $4)
            order by received_at desc limit 1000
        ))
          and state in ('waiting', 'running', 'retrying', 'paused')
          and ($5::text is null or job = $5)
          and ($6::text is null or state = $6)
          and position(lower($7) in lower(coalesce(last_reason, ''))) > 0
        order by received_at desc, event_id, job limit $8
        "#,
        which.event_id,
        which.number.map(EndOfNumber::pattern),
        which.since,
        which.until,
        which.job,
        state,
        cause,
        most,
    )
    .fetch_all(pool)
    .await
}

/// Lets those of these jobs run now that wait for their next try, each once; returns how many of each name.
///
/// # Errors
///
/// The database can't be asked. What was changed until then stays so.
pub(crate) async fn run_now(pool: &PgPool, which: &Which<'_>) -> sqlx::Result<BTreeMap<String, u64>> {
    let mut jobs = BTreeMap::<String, u64>::new();
    let mut last = String::new();
    loop {
        // So many are looked at in one statement, however few are meant; in the order of their ids, since one that fails and
        // waits again meanwhile is not let run twice.
        let looked = sqlx::query!(
            r#"
            with looked as materialized (
                select id, job_type, idempotency_key from apalis.jobs
                where (status = 'Pending' or (status = 'Failed' and attempts < max_attempts))
                  and id > $1 and run_at > now()
                  and ($2::text is null or job_type = $2)
                  and ($3::text is null or idempotency_key = $3)
                order by id limit $8
            ), changed as (
                update apalis.jobs set run_at = now()
                from looked join call_event on event_id = looked.idempotency_key
                where jobs.id = looked.id and run_at > now()
                  and ($4::text is null
                      or reverse(right(regexp_replace(from_number, '[^0-9]', '', 'g'), 20)) like $4
                      or reverse(right(regexp_replace(to_number, '[^0-9]', '', 'g'), 20)) like $4)
                  and ($5::timestamptz is null or received_at >= $5)
                  and ($6::timestamptz is null or received_at <= $6)
                  and position(lower($7) in lower(coalesce((
                      select reason from attempt
                      where attempt.event_id = looked.idempotency_key and attempt.job = looked.job_type
                      order by number desc limit 1
                  ), ''))) > 0
                returning jobs.job_type
            )
            select max(id) as last, array(select job_type from changed) as "jobs!" from looked
            "#,
            last,
            which.job,
            which.event_id,
            which.number.map(EndOfNumber::pattern),
            which.since,
            which.until,
            cause(which),
            CHUNK,
        );
        let looked = db::within(looked.fetch_one(pool)).await?;
        for job in looked.jobs {
            *jobs.entry(job).or_default() += 1;
        }
        let Some(end) = looked.last else { return Ok(jobs) };
        last = end;
    }
}

/// What the reason of the last attempt contains.
fn cause<'a>(which: &Which<'a>) -> &'a str {
    match which.cause {
        Some(Cause::Of(Alike { cause, .. })) => cause,
        Some(Cause::Contains(cause)) => cause,
        None => "",
    }
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
