//! What goes when a call's data is deleted, and what stays.
//!
//! An event's row stays with its key, its call, its times and its status: the platform may send it again. Of each job the
//! last attempt stays as its outcome, and the receipts stay, by which the vendors' records can be found.

use std::{collections::BTreeSet, ops::AddAssign};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::tasks::removal;

/// Why a job is not run that would need what was deleted.
pub(crate) const DELETED: &str = "its call's data was deleted";

/// The columns of `call_event` that stay. By what stays, because a fork may have added columns of its own.
const STAYS: [&str; 10] = [
    "event_id",
    "received_at",
    "platform",
    "event",
    "call_id",
    "occurred_at",
    "direction",
    "status",
    "queue_id",
    "pruned_at",
];

/// How much was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pruned {
    /// Calls.
    pub(super) calls: usize,
    /// Their events.
    pub(super) events: usize,
    /// Attempts that were not the last of their jobs.
    pub(super) attempts: u64,
    /// Rows of the queues.
    pub(super) jobs: u64,
}

impl AddAssign for Pruned {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.events += other.events;
        self.attempts += other.attempts;
        self.jobs += other.jobs;
    }
}

/// An event of a call whose data is to be deleted.
struct Stored {
    event_id: String,
    call_id: String,
    /// Whether it was received within the last days.
    young: bool,
    /// Whether its data is there.
    whole: bool,
}

/// Deletes the data of those of these calls of which every event is older than so many days, and every job is done.
pub(super) async fn prune_old(
    connection: &mut PgConnection,
    call_ids: &[String],
    days: i32,
) -> sqlx::Result<Pruned> {
    let mut transaction = connection.begin().await?;
    let mut events = events(&mut transaction, call_ids, days).await?;
    let open = removal::open(&mut transaction, &ids(&events)).await?;
    let held_back = calls(&events, |event| event.young || open.contains(&event.event_id));
    events.retain(|event| !held_back.contains(&event.call_id));
    let jobs = removal::remove(&mut transaction, &ids(&events)).await?;
    let pruned = prune(&mut transaction, events).await?;
    transaction.commit().await?;
    Ok(Pruned { jobs, ..pruned })
}

/// Deletes the data of these calls, and discards their jobs. Returns the calls of which a job runs: those keep their data
/// until it has ended.
pub(crate) async fn erase(
    connection: &mut PgConnection,
    call_ids: &[String],
) -> sqlx::Result<BTreeSet<String>> {
    let mut transaction = connection.begin().await?;
    let mut events = events(&mut transaction, call_ids, 0).await?;
    removal::remove(&mut transaction, &ids(&events)).await?;
    let open = removal::open(&mut transaction, &ids(&events)).await?;
    let running = calls(&events, |event| open.contains(&event.event_id));
    events.retain(|event| !running.contains(&event.call_id));
    prune(&mut transaction, events).await?;
    transaction.commit().await?;
    Ok(running)
}

/// All events of these calls. Until the transaction ends, no attempt at them begins. In the order of their keys: others that
/// do the same at this moment would deadlock.
async fn events(connection: &mut PgConnection, call_ids: &[String], days: i32) -> sqlx::Result<Vec<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        select event_id, call_id, received_at >= now() - make_interval(days => $2) as "young!",
               pruned_at is null as "whole!"
        from call_event where call_id = any($1)
        order by event_id for update
        "#,
        call_ids,
        days,
    )
    .fetch_all(connection)
    .await
}

fn ids(events: &[Stored]) -> Vec<String> {
    events.iter().map(|event| event.event_id.clone()).collect()
}

/// The calls of events of which this is true.
fn calls(events: &[Stored], which: impl Fn(&Stored) -> bool) -> BTreeSet<String> {
    events.iter().filter(|event| which(event)).map(|event| event.call_id.clone()).collect()
}

/// Deletes the data of these events, whose jobs have gone: in the order in which the end of a job is written, first the
/// queue's row and then the attempt.
async fn prune(connection: &mut PgConnection, mut events: Vec<Stored>) -> sqlx::Result<Pruned> {
    events.retain(|event| event.whole);
    if events.is_empty() {
        return Ok(Pruned::default());
    }
    let event_ids = ids(&events);
    let attempts = prune_attempts(connection, &event_ids).await?;
    sqlx::query!("update receipt set note = null where event_id = any($1) and note is not null", &event_ids)
        .execute(&mut *connection)
        .await?;
    let emptied = emptied(connection).await?;
    let update = format!("update call_event set {emptied}, pruned_at = now() where event_id = any($1)");
    sqlx::query(AssertSqlSafe(update)).bind(&event_ids).execute(connection).await?;
    Ok(Pruned { calls: calls(&events, |_| true).len(), events: events.len(), attempts, jobs: 0 })
}

/// Of each job the last attempt that has ended stays, without its reason. One after which it was to come back is its
/// outcome only now.
async fn prune_attempts(connection: &mut PgConnection, event_ids: &[String]) -> sqlx::Result<u64> {
    sqlx::query_scalar!(
        r#"
        with last as (
            select distinct on (event_id, job) event_id, job, number from attempt where event_id = any($1)
            order by event_id, job, ended_at is null, number desc
        ), ended as (
            update attempt
            set ended_at = coalesce(ended_at, clock_timestamp()), next_at = null,
                result = case when result in ('done', 'skipped', 'given_up') then result else 'skipped' end,
                reason = case when result in ('done', 'skipped', 'given_up') then null else $2 end
            from last
            where attempt.event_id = last.event_id and attempt.job = last.job and attempt.number = last.number
              and (reason is not null or ended_at is null or next_at is not null)
        ), older as (
            delete from attempt using last
            where attempt.event_id = last.event_id and attempt.job = last.job and attempt.number <> last.number
            returning 1
        )
        select count(*) as "older!" from older
        "#,
        event_ids,
        DELETED,
    )
    .fetch_one(connection)
    .await
    .map(i64::unsigned_abs)
}

/// The assignments that empty an event's row, by the catalogue: null, or the default where null can't be.
async fn emptied(connection: &mut PgConnection) -> sqlx::Result<String> {
    sqlx::query_scalar!(
        r#"
        select string_agg(format('%I = %s', attname, case when attnotnull then 'default' else 'null' end), ', ') as "set!"
        from pg_attribute
        where attrelid = 'call_event'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
          and (not attnotnull or atthasdef) and attname <> all($1)
        "#,
        &STAYS.map(str::to_owned),
    )
    .fetch_one(connection)
    .await
}
