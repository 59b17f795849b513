//! What the database knows of jobs: every attempt and every receipt.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::tasks;
use crate::{db, job::Receipt, telemetry::Safe};

/// How often a process that stops tries to write the end of an attempt.
const TRIES: u32 = 5;

/// One job's records of one event.
pub(super) struct Ledger<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) job: &'static str,
    pub(super) destination: &'a str,
    pub(super) event_id: &'a str,
    pub(super) task_id: &'a str,
    /// Whether a receipt of any event of the call is this one's too.
    pub(super) once_a_call: bool,
}

/// An attempt that has begun, and what came before it.
pub(super) struct Attempt {
    /// Counts from 1.
    pub(super) number: i32,
    /// Earlier attempts that never ended: their process died.
    pub(super) crashes: i64,
    /// Earlier attempts that failed by the job's own fault.
    pub(super) failures: i64,
    /// How long those took, with the waits that followed them. What a vendor's pause, a busy queue or an absent worker
    /// added to the waits is not in it: only time in which the job could have run counts.
    pub(super) failing_for: Duration,
    /// The trace that the event's delivery was part of.
    pub(super) trace_id: Option<String>,
}

/// What became of the beginning of an attempt.
pub(super) enum Begun {
    Attempt(Attempt),
    /// An earlier attempt never ended: it died with its process, and may be what the process died of.
    Suspect,
    /// This job is at work on another event of the same call.
    Busy,
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
    /// What it needs is not there yet: it comes back as if it had not run, and nothing has failed.
    Awaits {
        reason: String,
        wait: Duration,
    },
    GivenUp(Failure),
}

impl End {
    /// The word for it in the column `attempt.result`.
    pub(super) fn result(&self) -> &'static str {
        match self {
            Self::Done(_) | Self::AlreadyDone => "done",
            Self::Skipped(_) => "skipped",
            Self::Retry { .. } => "retry",
            Self::Paused { .. } | Self::Awaits { .. } => "paused",
            Self::GivenUp(_) => "given_up",
        }
    }
}

/// Why an attempt failed.
pub(super) struct Failure {
    /// A word that stands for many of them, as [`JobError::kind`](crate::job::JobError::kind) has it.
    pub(super) kind: &'static str,
    /// Without the call's personal data.
    pub(super) reason: String,
}

impl Ledger<'_> {
    /// Writes down that an attempt begins, before it does anything that a crash could leave half done; a suspect one only where
    /// it is `alone`. One that was given up and is run again by a person has all its tries anew.
    pub(super) async fn begin(&self, alone: bool) -> sqlx::Result<Begun> {
        let query = sqlx::query!(
            r#"
            with given_up as (
                select coalesce(max(number), 0) as number
                from attempt where event_id = $1 and job = $2 and result = 'given_up'
            ), earlier as (
                select coalesce(max(attempt.number), 0) as number,
                       count(*) filter (where ended_at is null and attempt.number > given_up.number) as crashes,
                       count(*) filter (where result = 'retry' and attempt.number > given_up.number) as failures,
                       sum(next_at - started_at) filter (where result = 'retry' and attempt.number > given_up.number)
                           as failing_for
                from attempt, given_up where event_id = $1 and job = $2
            ), leased as (
                insert into lease (job, call_key, event_id, attempt, expires_at)
                select $2, hashtextextended(call_id, 0), event_id, number + 1, clock_timestamp() + interval '60 s'
                from call_event, earlier where event_id = $1 and ($4 or crashes = 0)
                on conflict (job, call_key) do update
                set event_id = excluded.event_id, attempt = excluded.attempt, expires_at = excluded.expires_at
                where lease.event_id = excluded.event_id or lease.expires_at < clock_timestamp()
                returning event_id
            ), begun as (
                insert into attempt (event_id, job, number, destination)
                select $1, $2, number + 1, $3 from earlier, leased
            )
            select number + 1 as "number!", crashes as "crashes!", failures as "failures!",
                   coalesce(extract(epoch from failing_for), 0)::float8 as "failing_for!",
                   (select details ->> 'w3c_trace_id' from call_event where event_id = $1) as trace_id,
                   exists (select from leased) as "begun!"
            from earlier
            "#,
            self.event_id,
            self.job,
            self.destination,
            alone,
        );
        let row = db::within(query.fetch_one(self.pool)).await?;
        Ok(match row.begun {
            false if !alone && row.crashes > 0 => Begun::Suspect,
            false => Begun::Busy,
            true => Begun::Attempt(Attempt {
                number: row.number,
                crashes: row.crashes,
                failures: row.failures,
                failing_for: Duration::from_secs_f64(row.failing_for.max(0.0)),
                trace_id: row.trace_id,
            }),
        })
    }

    /// Lets the job, which has not begun, come back after this time.
    pub(super) async fn put_off(&self, wait: Duration) -> sqlx::Result<()> {
        db::within(async {
            let mut connection = self.pool.acquire().await?;
            tasks::postpone(&mut connection, self.task_id, wait).await
        })
        .await
    }

    /// Writes down how the attempt ended, and with it, in one commit, its receipt or the time of the next try. What a vendor
    /// did must not be forgotten over a lost connection or a full disk: it is tried for as long as the process lives, and a
    /// few times more once it stops.
    ///
    /// # Errors
    ///
    /// The database refuses it for what it says, or the process stops.
    pub(super) async fn end(
        &self,
        attempt: &Attempt,
        end: &End,
        stop: &CancellationToken,
    ) -> sqlx::Result<()> {
        let mut tries = 0;
        loop {
            let Err(error) = db::within(self.write(attempt, end)).await else { return Ok(()) };
            tries += 1;
            if db::is_about_a_row(&error) || stop.is_cancelled() && tries >= TRIES {
                return Err(error);
            }
            if tries == 1 {
                let event_id = Safe(self.event_id);
                let trace_id = attempt.trace_id.as_deref();
                tracing::warn!(job = self.job, %event_id, trace_id, %error, "how an attempt ended can't be written yet");
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn write(&self, attempt: &Attempt, end: &End) -> sqlx::Result<()> {
        let (wait, failure) = match end {
            End::Done(_) | End::AlreadyDone | End::Skipped(_) => (None, None),
            End::Retry { failure, wait } | End::Paused { failure, wait } => (Some(*wait), Some(failure)),
            End::Awaits { wait, .. } => (Some(*wait), None),
            End::GivenUp(failure) => (None, Some(failure)),
        };
        let reason = match end {
            End::AlreadyDone => Some("its receipt was there already"),
            End::Skipped(reason) | End::Awaits { reason, .. } => Some(reason.as_str()),
            _ => failure.map(|failure| failure.reason.as_str()),
        };
        let receipt = if let End::Done(receipt) = end { Some(receipt) } else { None };
        let query = sqlx::query!(
            r#"
            with kept as (
                insert into receipt (event_id, job, destination, made, external_id, url, note)
                select $1, $2, $8, $9, $10, $11, $12 where $9::text is not null
                on conflict do nothing
            ), released as (
                delete from lease where job = $2 and event_id = $1 and attempt = $3
            )
            update attempt
            set ended_at = clock_timestamp(), result = $4, reason = $5, failure = $6,
                next_at = clock_timestamp() + make_interval(secs => $7)
            where event_id = $1 and job = $2 and number = $3
            "#,
            self.event_id,
            self.job,
            attempt.number,
            end.result(),
            reason,
            failure.map(|failure| failure.kind),
            wait.map(|wait| wait.as_secs_f64()),
            self.destination,
            receipt.map(|receipt| receipt.made),
            receipt.map(|receipt| receipt.external_id.as_str()),
            receipt.and_then(|receipt| receipt.url.as_deref()),
            receipt.and_then(|receipt| receipt.note.as_deref()),
        );
        let Some(wait) = wait else {
            return query.execute(self.pool).await.map(drop);
        };
        let mut transaction = self.pool.begin().await?;
        tasks::postpone(&mut transaction, self.task_id, wait).await?;
        query.execute(&mut *transaction).await?;
        transaction.commit().await
    }
}
