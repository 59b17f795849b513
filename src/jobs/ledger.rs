//! What the database knows of jobs: every attempt, every receipt, and the newest event of a call.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::{Receipt, queue};
use crate::receive::{event::CallEvent, fields::Malformed};

/// One job's records of one event.
pub(super) struct Ledger<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) job: &'static str,
    pub(super) destination: &'a str,
    pub(super) event_id: &'a str,
    pub(super) task_id: &'a str,
}

/// An attempt that has begun, and what came before it.
pub(super) struct Attempt {
    /// Counts from 1.
    pub(super) number: i32,
    /// Earlier attempts that never ended: their process died.
    pub(super) crashes: i64,
    /// Earlier attempts that failed by the job's own fault.
    pub(super) failures: i64,
    /// Since the first of those.
    pub(super) failing_for: Duration,
}

/// The newest event of a call.
pub(super) struct Newest {
    pub(super) event_id: String,
    pub(super) received_at: DateTime<Utc>,
    pub(super) body: Vec<u8>,
}

/// How an attempt ended.
pub(super) enum End {
    Done(Receipt),
    /// Its receipt was there already.
    AlreadyDone,
    Skipped(String),
    Retry {
        failure: Failure,
        wait: Duration,
    },
    /// The vendor is in trouble: it comes back as if it had not run.
    Paused {
        failure: Failure,
        wait: Duration,
    },
    GivenUp(Failure),
}

/// Why an attempt failed.
pub(super) struct Failure {
    /// A word that stands for many of them, as [`JobError::kind`](super::JobError::kind) has it.
    pub(super) kind: &'static str,
    /// Without the call's personal data.
    pub(super) reason: String,
}

impl Ledger<'_> {
    /// Whether an earlier attempt never ended: it died with its process, and may be what the process died of.
    pub(super) async fn is_suspect(&self) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select exists (select from attempt where event_id = $1 and job = $2 and ended_at is null) as "exists!""#,
            self.event_id,
            self.job,
        )
        .fetch_one(self.pool)
        .await
    }

    /// Writes down that an attempt begins, before it does anything that a crash could leave half done. One that was given
    /// up and is run again by a person has all its tries anew.
    pub(super) async fn begin(&self) -> sqlx::Result<Attempt> {
        let row = sqlx::query!(
            r#"
            with given_up as (
                select coalesce(max(number), 0) as number
                from attempt where event_id = $1 and job = $2 and result = 'given_up'
            ), earlier as (
                select coalesce(max(attempt.number), 0) as number,
                       count(*) filter (where ended_at is null and attempt.number > given_up.number) as crashes,
                       count(*) filter (where result = 'retry' and attempt.number > given_up.number) as failures,
                       min(started_at) filter (where result = 'retry' and attempt.number > given_up.number) as failed_first
                from attempt, given_up where event_id = $1 and job = $2
            ), begun as (
                insert into attempt (event_id, job, number, destination) select $1, $2, number + 1, $3 from earlier
            )
            select number + 1 as "number!", crashes as "crashes!", failures as "failures!",
                   coalesce(extract(epoch from clock_timestamp() - failed_first), 0)::float8 as "failing_for!"
            from earlier
            "#,
            self.event_id,
            self.job,
            self.destination,
        )
        .fetch_one(self.pool)
        .await?;
        let failing_for = Duration::from_secs_f64(row.failing_for.max(0.0));
        Ok(Attempt { number: row.number, crashes: row.crashes, failures: row.failures, failing_for })
    }

    /// The newest event of the same call: vendors are keyed by call, and the newest word on it counts.
    pub(super) async fn newest(&self) -> sqlx::Result<Newest> {
        sqlx::query_as!(
            Newest,
            r#"
            select newest.event_id, newest.received_at, newest.body
            from call_event as this join call_event as newest using (call_id)
            where this.event_id = $1 and newest.event = 'call.completed'
            order by newest.occurred_at desc nulls last, newest.received_at desc, newest.event_id desc
            limit 1
            "#,
            self.event_id,
        )
        .fetch_one(self.pool)
        .await
    }

    /// Whether this job has its receipt from its destination.
    pub(super) async fn has_receipt(&self) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select exists (select from receipt where event_id = $1 and job = $2 and destination = $3) as "exists!""#,
            self.event_id,
            self.job,
            self.destination,
        )
        .fetch_one(self.pool)
        .await
    }

    /// Writes down how the attempt ended, and with it, in one commit, its receipt or the time of the next try.
    pub(super) async fn end(&self, attempt: &Attempt, end: &End) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let (result, wait, failure) = match end {
            End::Done(_) | End::AlreadyDone => ("done", None, None),
            End::Skipped(_) => ("skipped", None, None),
            End::Retry { failure, wait } => ("retry", Some(*wait), Some(failure)),
            End::Paused { failure, wait } => ("paused", Some(*wait), Some(failure)),
            End::GivenUp(failure) => ("given_up", None, Some(failure)),
        };
        let reason = match end {
            End::AlreadyDone => Some("its receipt was there already"),
            End::Skipped(reason) => Some(reason.as_str()),
            _ => failure.map(|failure| failure.reason.as_str()),
        };
        if let End::Done(receipt) = end {
            self.keep(&mut transaction, receipt).await?;
        }
        if let Some(wait) = wait {
            queue::postpone(&mut transaction, self.task_id, wait).await?;
        }
        sqlx::query!(
            r#"
            update attempt
            set ended_at = clock_timestamp(), result = $4, reason = $5, failure = $6,
                next_at = clock_timestamp() + make_interval(secs => $7)
            where event_id = $1 and job = $2 and number = $3
            "#,
            self.event_id,
            self.job,
            attempt.number,
            result,
            reason,
            failure.map(|failure| failure.kind),
            wait.map(|wait| wait.as_secs_f64()),
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    async fn keep(&self, connection: &mut PgConnection, receipt: &Receipt) -> sqlx::Result<()> {
        sqlx::query!(
            r#"
            insert into receipt (event_id, job, destination, made, external_id, url, note)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict do nothing
            "#,
            self.event_id,
            self.job,
            self.destination,
            receipt.made,
            receipt.external_id,
            receipt.url,
            receipt.note,
        )
        .execute(connection)
        .await
        .map(drop)
    }
}

impl Newest {
    /// The event, read again from the bytes that came.
    pub(super) fn parse(&self) -> Result<CallEvent, Malformed> {
        CallEvent::parse(&self.body, self.received_at)
    }
}
