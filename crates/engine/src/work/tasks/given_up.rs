//! Jobs that were given up: why, and what a person does about them.
//!
//! All of it reads the view `given_up`, which says what a cause is.

mod change;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

pub use change::{discard, retry};

use crate::{db, search::EndOfNumber};

/// How many jobs are grouped, the newest first.
pub const MOST_GROUPED: i64 = 2_000;

/// How many jobs are looked at in one statement, however many were given up: some tenths of a second on a slow disk.
const ROUND: usize = 2_000;

/// Which jobs that were given up; all of them where nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which<'a> {
    /// The job's name.
    pub job: Option<&'a str>,
    /// The event that started it.
    pub event_id: Option<&'a str>,
    /// Why it was given up.
    pub cause: Option<Cause<'a>>,
    /// How the caller's or the called number ends.
    pub number: Option<&'a EndOfNumber>,
    /// Given up at this time at the earliest.
    pub since: Option<DateTime<Utc>>,
    /// Given up at this time at the latest.
    pub until: Option<DateTime<Utc>>,
}

/// A cause, as it is looked for.
#[derive(Debug, Clone, Copy)]
pub enum Cause<'a> {
    /// That of one group.
    Of(&'a Alike),
    /// A part of it or of [`Group::kind`], in upper or lower case.
    Contains(&'a str),
}

/// What the jobs of a [`Group`] have in common beside their name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alike {
    /// [`Group::destination`].
    pub destination: Option<String>,
    /// [`Group::kind`].
    pub kind: Option<String>,
    /// [`Group::cause`].
    pub cause: String,
}

/// Jobs of one name that were given up over one cause.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The job's name.
    pub job: String,
    /// The vendor's origin; none where the job never began.
    pub destination: Option<String>,
    /// The word for the last attempt's failure: `refused`, `not yet`, `failed`, `died`; none where the job never began.
    pub kind: Option<String>,
    /// The last attempt's reason, without what differs from call to call.
    pub cause: String,
    /// How many there are.
    pub count: i64,
    /// When the first of them was given up.
    pub first_at: DateTime<Utc>,
    /// When the last of them was given up.
    pub last_at: DateTime<Utc>,
}

/// A job that was given up.
#[derive(Debug, Serialize)]
pub struct GivenUp {
    /// The key of its row in `apalis.jobs`.
    #[serde(skip)]
    task_id: String,
    /// The job's name.
    pub job: String,
    /// The event that started it.
    pub event_id: String,
    /// That event's call; none where the queue has what was never stored.
    pub call_id: Option<String>,
    /// When it was given up.
    pub given_up_at: DateTime<Utc>,
    /// How often it was started.
    pub attempts: i32,
    /// As in [`Group::kind`].
    pub kind: Option<String>,
    /// As in [`Group::destination`].
    pub destination: Option<String>,
    /// Why, in the last attempt's words. A vendor may have chosen them.
    pub reason: String,
    /// As in [`Group::cause`].
    pub cause: String,
}

/// The newest [`MOST_GROUPED`] jobs that were given up, by job, vendor and cause; what was met last is first.
///
/// # Errors
///
/// The database can't be asked.
pub async fn groups(pool: &PgPool) -> sqlx::Result<Vec<Group>> {
    // The newest first of all, by the index of those rows alone: only their attempts are then looked up. Most of one cause
    // have the very same reason, and each of those is reduced to its cause once.
    sqlx::query_as!(
        Group,
        r#"
        with newest as materialized (
            select id from apalis.jobs where status = 'Killed' order by done_at desc nulls last limit $1
        ), alike as (
            select job, destination, kind, reason, count(*) as count, min(given_up_at) as first_at, max(given_up_at) as last_at
            from newest cross join lateral (select * from given_up where task_id = id offset 0) as job
            group by job, destination, kind, reason
        )
        select job as "job!", destination, kind, cause_of(reason) as "cause!", sum(count)::int8 as "count!",
               min(first_at) as "first_at!", max(last_at) as "last_at!"
        from alike
        group by job, destination, kind, cause_of(reason)
        order by max(last_at) desc, sum(count) desc
        "#,
        MOST_GROUPED,
    )
    .fetch_all(pool)
    .await
}

/// Whether there may be more than these groups hold.
#[must_use]
pub fn is_cut(groups: &[Group]) -> bool {
    groups.iter().map(|group| group.count).sum::<i64>() >= MOST_GROUPED
}

/// Those jobs, the newest first, so many at the most.
///
/// # Errors
///
/// The database can't be asked.
pub async fn list(pool: &PgPool, which: &Which<'_>, most: usize) -> sqlx::Result<Vec<GivenUp>> {
    let mut found = Vec::new();
    for round in candidates(pool, which).await?.chunks(ROUND) {
        found.extend(matching(pool, which, round).await?);
        if found.len() >= most {
            break;
        }
    }
    found.truncate(most);
    Ok(found)
}

/// How many of those jobs there are of each name.
///
/// # Errors
///
/// The database can't be asked.
pub async fn count(pool: &PgPool, which: &Which<'_>) -> sqlx::Result<BTreeMap<String, u64>> {
    let mut jobs = BTreeMap::new();
    for round in candidates(pool, which).await?.chunks(ROUND) {
        for job in matching(pool, which, round).await? {
            *jobs.entry(job.job).or_default() += 1;
        }
    }
    Ok(jobs)
}

/// The keys of all jobs that may be meant, the newest first, by the index of what was given up alone.
async fn candidates(pool: &PgPool, which: &Which<'_>) -> sqlx::Result<Vec<String>> {
    let candidates = sqlx::query_scalar!(
        "
        select id from apalis.jobs
        where status = 'Killed' and ($1::text is null or job_type = $1)
          and ($2::text is null or idempotency_key = $2)
          and ($3::timestamptz is null or done_at is null or done_at >= $3)
          and ($4::timestamptz is null or done_at is null or done_at <= $4)
        order by done_at desc nulls last, id desc
        ",
        which.job,
        which.event_id,
        which.since,
        which.until,
    );
    db::within(candidates.fetch_all(pool)).await
}

/// Those of these jobs that are meant, the newest first.
async fn matching(pool: &PgPool, which: &Which<'_>, task_ids: &[String]) -> sqlx::Result<Vec<GivenUp>> {
    // The number is compared for each job that was given up, and not looked for among all events: a company's own stands in
    // every one of them.
    let (alike, contains) = match which.cause {
        Some(Cause::Of(alike)) => (Some(alike), None),
        Some(Cause::Contains(part)) => (None, Some(part)),
        None => (None, None),
    };
    let matching = sqlx::query_as!(
        GivenUp,
        r#"
        select task_id as "task_id!", job as "job!", event_id as "event_id!", call_id, given_up_at as "given_up_at!",
               attempts as "attempts!", kind, destination, cause as "cause!", reason as "reason!"
        from given_up
        where task_id = any($1)
          and ($2::text is null or cause = $2 and destination is not distinct from $3 and kind is not distinct from $4)
          and ($5::text is null or position(lower($5) in lower(concat_ws(' ', kind, cause))) > 0)
          and ($6::text is null or (
              select reverse(right(regexp_replace(from_number, '[^0-9]', '', 'g'), 20)) like $6
                  or reverse(right(regexp_replace(to_number, '[^0-9]', '', 'g'), 20)) like $6
              from call_event where call_event.event_id = given_up.event_id
          ))
          and ($7::timestamptz is null or given_up_at >= $7)
          and ($8::timestamptz is null or given_up_at <= $8)
        order by given_up_at desc, task_id desc
        "#,
        task_ids,
        alike.map(|alike| alike.cause.as_str()),
        alike.and_then(|alike| alike.destination.as_deref()),
        alike.and_then(|alike| alike.kind.as_deref()),
        contains,
        which.number.map(EndOfNumber::pattern),
        which.since,
        which.until,
    );
    db::within(matching.fetch_all(pool)).await
}
