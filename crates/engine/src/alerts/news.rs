//! What has begun and what is over since people were last told, a line each; written down in the table `alert`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{
    telemetry::{Safe, at},
    work::tasks::{self, Waiting},
};

/// The advisory lock of whoever tells: any number that nobody else uses.
const TELLING: i64 = 0x616c_6572_7473;

/// Whether this process may tell, until its transaction ends: another one may be at it.
pub(super) async fn is_ours_to_tell(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "free!""#, TELLING)
        .fetch_one(connection)
        .await
}

/// Failures of one kind since people were told of it.
struct Failures {
    kind: String,
    /// Whether people know.
    known: bool,
    failure: String,
    given_up: bool,
    job: String,
    destination: String,
    times: i64,
    began_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    event_id: String,
    reason: String,
}

impl Failures {
    /// What is the matter, as a sentence without its end.
    fn trouble(&self) -> String {
        let Self { job, destination, .. } = self;
        match self.failure.as_str() {
            _ if self.given_up => format!("{job} gave up"),
            "down" => format!("{destination} is down"),
            "busy" => format!("{destination} asks for a long pause"),
            "unauthorized" => format!("{destination} refuses our credential"),
            _ => format!("{job} fails"),
        }
    }
}

/// Tells of kinds of failures that people don't know of yet. Those of the last hour count: whoever switches alerts on
/// wants no history. A short pause that a vendor asks for is its daily business, and no trouble.
pub(super) async fn begun(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let met = sqlx::query_as!(
        Failures,
        r#"
        select kind as "kind!",
               bool_or(alert.kind is not null and over_at is null) as "known!",
               min(failure) as "failure!",
               bool_or(result = 'given_up') as "given_up!",
               min(job) as "job!",
               min(recent.destination) as "destination!",
               count(*) as "times!",
               min(ended_at) as "began_at!",
               max(ended_at) as "last_at!",
               (array_agg(event_id order by ended_at))[1] as "event_id!",
               (array_agg(recent.reason order by ended_at))[1] as "reason!"
        from (
            select *, case
                when result = 'given_up' then 'given up ' || job || ' ' || failure
                when failure in ('not yet', 'failed', 'died') then failure || ' ' || job
                else failure || ' ' || destination
            end as kind
            from attempt
            where failure is not null and ended_at > clock_timestamp() - interval '1 hour'
              and not (failure = 'busy' and next_at < ended_at + interval '1 minute')
        ) as recent
        left join alert using (kind)
        where ended_at > coalesce(alert.last_at, '-infinity')
        group by kind
        order by min(ended_at)
        "#
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut lines = Vec::new();
    for met in met {
        let trouble = met.trouble();
        if !met.known {
            let event = if met.given_up { format!(" event {}", Safe(&met.event_id)) } else { String::new() };
            lines.push(format!("{trouble}{event}: {}", Safe(&met.reason)));
        }
        // What people are told is over when the vendor takes something again; what was given up stays so.
        let destination = (!met.given_up).then_some(met.destination);
        sqlx::query!(
            r#"
            insert into alert (kind, trouble, destination, began_at, last_at, times)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (kind) do update
            set last_at = excluded.last_at, over_at = null,
                began_at = case when alert.over_at is null then alert.began_at else excluded.began_at end,
                times = excluded.times + case when alert.over_at is null then alert.times else 0 end
            "#,
            met.kind,
            trouble,
            destination,
            met.began_at,
            met.last_at,
            met.times,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(lines)
}

/// What people were told of.
struct Ended {
    trouble: String,
    given_up: bool,
    began_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    times: i64,
}

/// Tells of what has not been met for as long as `quiet`, though the vendor took something since, and what had failed was
/// tried again. A single job that was given up needs no second line.
pub(super) async fn over(connection: &mut PgConnection, quiet: Duration) -> sqlx::Result<Vec<String>> {
    let over = sqlx::query_as!(
        Ended,
        r#"
        update alert set over_at = clock_timestamp()
        where over_at is null and kind <> 'silence'
          and last_at < clock_timestamp() - make_interval(secs => $1)
          and (destination is null or exists (
              select from attempt
              where attempt.destination = alert.destination and result = 'done' and ended_at > alert.last_at
          ))
          and not exists (
              select from attempt as failed
              where failure is not null and ended_at >= alert.began_at and result in ('retry', 'paused')
                and alert.kind in (failure || ' ' || job, failure || ' ' || failed.destination)
                and not exists (
                    select from attempt as later
                    where later.event_id = failed.event_id and later.job = failed.job
                      and later.number > failed.number and later.ended_at is not null
                )
          )
        returning trouble, kind like 'given up %' as "given_up!", began_at, last_at, times
        "#,
        quiet.as_secs_f64(),
    )
    .fetch_all(connection)
    .await?;
    let over = over.into_iter().filter(|told| !told.given_up || told.times > 1);
    let line = |Ended { trouble, began_at, last_at, times, .. }| {
        format!("over: {trouble} (from {} to {}, {times} times)", at(began_at), at(last_at))
    };
    Ok(over.map(line).collect())
}

/// Tells of queues that no worker serves, and of those that are behind by more than `lag`. Met at every look, it is over
/// like any other trouble.
pub(super) async fn waiting(connection: &mut PgConnection, lag: Duration) -> sqlx::Result<Vec<String>> {
    let mut lines = Vec::new();
    for Waiting { job, since, seconds, served } in tasks::waiting(connection).await? {
        if served && seconds <= lag.as_secs_f64() {
            continue;
        }
        let (name, from) = (Safe(&job), at(since));
        let (kind, trouble, line) = if served {
            let lag = humantime::format_duration(lag);
            let line = format!("the oldest waits since {from}, longer than {lag} (ALERT_LAG)");
            (format!("behind {job}"), format!("jobs of {name} are behind"), line)
        } else {
            let line = format!("jobs wait since {from}. Name it in the JOBS of a worker.");
            (format!("unserved {job}"), format!("no worker serves {name}"), line)
        };
        let known = sqlx::query_scalar!(
            r#"
            with before as (select from alert where kind = $1 and over_at is null)
            insert into alert (kind, trouble, began_at, last_at, times)
            values ($1, $2, $3, clock_timestamp(), 1)
            on conflict (kind) do update
            set last_at = excluded.last_at, over_at = null, times = alert.times + 1,
                began_at = case when alert.over_at is null then alert.began_at else excluded.began_at end
            returning exists (select from before) as "known!"
            "#,
            kind,
            trouble,
            since,
        );
        if !known.fetch_one(&mut *connection).await? {
            lines.push(format!("{trouble}: {line}"));
        }
    }
    Ok(lines)
}

/// Tells that no event has come for as long as this, and of the next one that comes. Where none has ever come, nobody
/// misses one.
pub(super) async fn silence(connection: &mut PgConnection, limit: Duration) -> sqlx::Result<Option<String>> {
    let now = sqlx::query!(
        r#"
        select newest as "newest!",
               newest < clock_timestamp() - make_interval(secs => $1) as "silent!",
               (select began_at from alert where kind = 'silence' and over_at is null) as told
        -- By itself, so that an index answers it.
        from (select max(received_at) as newest from call_event) as latest
        where newest is not null
        "#,
        limit.as_secs_f64(),
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(now) = now else { return Ok(None) };
    let since = at(now.newest);
    match now.told {
        None if now.silent => {
            sqlx::query!(
                r#"
                insert into alert (kind, trouble, began_at, last_at, times) values ('silence', 'no call', $1, $1, 1)
                on conflict (kind) do update
                set began_at = excluded.began_at, last_at = excluded.last_at, over_at = null
                "#,
                now.newest,
            )
            .execute(connection)
            .await?;
            let limit = humantime::format_duration(limit);
            Ok(Some(format!("no call has come since {since}, longer than {limit} (ALERT_SILENCE)")))
        }
        Some(told) if now.newest > told => {
            sqlx::query!("update alert set over_at = clock_timestamp() where kind = 'silence'")
                .execute(connection)
                .await?;
            Ok(Some(format!("over: no call came from {} to {since}", at(told))))
        }
        _ => Ok(None),
    }
}
