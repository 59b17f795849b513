//! Jobs that were given up: why, and what a person does about them.
//!
//! All of it reads the view `given_up`, which says what a cause is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};

use crate::{db, search::EndOfNumber};

/// How many jobs are grouped, the newest first.
pub const MOST_GROUPED: i64 = 2_000;

/// How many jobs are looked for in one statement before they are changed.
const ROUND: i64 = 10_000;

/// How many jobs are changed in one transaction. It holds their locks for some tenths of a second, for which whoever deletes
/// a call's data waits, and no delivery.
const CHUNK: usize = 500;

/// Why a job ended as skipped that a person has discarded, in the column `attempt.reason`.
pub const DISCARDED: &str = "discarded by a person";

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
pub async fn list(pool: &PgPool, which: &Which<'_>, most: i64) -> sqlx::Result<Vec<GivenUp>> {
    // The number is compared for each job that was given up, and not looked for among all events: a company's own stands in
    // every one of them.
    let (alike, contains) = match which.cause {
        Some(Cause::Of(alike)) => (Some(alike), None),
        Some(Cause::Contains(part)) => (None, Some(part)),
        None => (None, None),
    };
    sqlx::query_as!(
        GivenUp,
        r#"
        select task_id as "task_id!", job as "job!", event_id as "event_id!", call_id, given_up_at as "given_up_at!",
               attempts as "attempts!", kind, destination, reason as "reason!", cause as "cause!"
        from given_up
        where ($1::text is null or job = $1)
          and ($2::text is null or event_id = $2)
          and ($3::text is null or cause = $3 and destination is not distinct from $9 and kind is not distinct from $10)
          and ($4::text is null or position(lower($4) in lower(concat_ws(' ', kind, cause))) > 0)
          and ($5::text is null or (
              select reverse(right(regexp_replace(from_number, '[^0-9]', '', 'g'), 20)) like $5
                  or reverse(right(regexp_replace(to_number, '[^0-9]', '', 'g'), 20)) like $5
              from call_event where call_event.event_id = given_up.event_id
          ))
          and ($6::timestamptz is null or given_up_at >= $6)
          and ($7::timestamptz is null or given_up_at <= $7)
        order by given_up_at desc, task_id desc limit $8
        "#,
        which.job,
        which.event_id,
        alike.map(|alike| alike.cause.as_str()),
        contains,
        which.number.map(EndOfNumber::pattern),
        which.since,
        which.until,
        most,
        alike.and_then(|alike| alike.destination.as_deref()),
        alike.and_then(|alike| alike.kind.as_deref()),
    )
    .fetch_all(pool)
    .await
}

/// Lets those jobs run anew, with all their tries; returns how many.
///
/// # Errors
///
/// The database can't be asked. What was changed until then stays so.
pub async fn retry(pool: &PgPool, which: &Which<'_>) -> sqlx::Result<u64> {
    change(pool, which, Change::Retry).await
}

/// Discards those jobs: they end as skipped, and never run. Returns how many.
///
/// # Errors
///
/// The database can't be asked. What was changed until then stays so.
pub async fn discard(pool: &PgPool, which: &Which<'_>) -> sqlx::Result<u64> {
    change(pool, which, Change::Discard).await
}

#[derive(Clone, Copy)]
enum Change {
    Retry,
    Discard,
}

async fn change(pool: &PgPool, which: &Which<'_>, change: Change) -> sqlx::Result<u64> {
    // What runs anew and is given up once more while this goes on is not meant.
    let now = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#);
    let now = db::within(now.fetch_one(pool)).await?;
    let until = which.until.map_or(now, |until| until.min(now));
    let which = Which { until: Some(until), ..*which };
    let mut changed = 0;
    loop {
        let found = db::within(list(pool, &which, ROUND)).await?;
        for chunk in found.chunks(CHUNK) {
            changed += db::within(change_chunk(pool, chunk, change)).await?;
        }
        if i64::try_from(found.len()).is_ok_and(|found| found < ROUND) {
            return Ok(changed);
        }
    }
}

/// Changes those of these jobs that are still given up. Another person may be at them at this moment: whoever locks them
/// first has them.
async fn change_chunk(pool: &PgPool, chunk: &[GivenUp], change: Change) -> sqlx::Result<u64> {
    let event_ids: Vec<_> = chunk.iter().map(|job| job.event_id.clone()).collect();
    let task_ids: Vec<_> = chunk.iter().map(|job| job.task_id.clone()).collect();
    let mut transaction = pool.begin().await?;
    // Events before jobs and each in order, as whoever deletes a call's data locks them: else the two would deadlock.
    sqlx::query!(
        "select event_id from call_event where event_id = any($1) order by event_id for key share",
        &event_ids,
    )
    .fetch_all(&mut *transaction)
    .await?;
    let task_ids = sqlx::query_scalar!(
        "select id from apalis.jobs where id = any($1) and status = 'Killed' order by id for update",
        &task_ids,
    )
    .fetch_all(&mut *transaction)
    .await?;
    match change {
        Change::Retry => run_anew(&mut transaction, &task_ids).await?,
        Change::Discard => skip(&mut transaction, &task_ids).await?,
    }
    transaction.commit().await?;
    Ok(task_ids.len() as u64)
}

async fn run_anew(connection: &mut PgConnection, task_ids: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update apalis.jobs set status = 'Pending', run_at = now(), lock_by = null, lock_at = null, done_at = null
        where id = any($1)
        ",
        task_ids,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// An attempt that does nothing is how the job ended: the view `call_job` tells it, and its row may go after a day. Without
/// a worker's name in it, no acknowledgement that comes late finds the row.
async fn skip(connection: &mut PgConnection, task_ids: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with discarded as (
            update apalis.jobs set status = 'Done', lock_by = null, lock_at = null, done_at = now()
            where id = any($1)
            returning job_type, idempotency_key
        )
        insert into attempt (event_id, job, number, started_at, ended_at, destination, result, reason)
        select event_id, job_type, coalesce(last.number, 0) + 1, now(), now(), coalesce(last.destination, ''), 'skipped', $2
        from discarded join call_event on event_id = idempotency_key
        left join lateral (
            select number, destination from attempt
            where attempt.event_id = idempotency_key and attempt.job = job_type
            order by number desc limit 1
        ) as last on true
        ",
        task_ids,
        DISCARDED,
    )
    .execute(connection)
    .await
    .map(drop)
}
