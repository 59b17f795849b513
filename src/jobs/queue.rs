//! Jobs on apalis: all that touches its crates or its table `apalis.jobs`.
//!
//! apalis keeps what is to be done, wakes workers, and gives a dead worker's jobs to another. When a failed job comes
//! back, and when it doesn't, is decided in [`worker`](super::worker): apalis' own retries don't wait.

use std::{sync::Arc, time::Duration};

use apalis::prelude::*;
use apalis_postgres::{PgTask, PostgresStorage, queries::push_tasks};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use ulid::Ulid;

use super::{Job, bell::Bell, breaker::Breakers, ledger::End, worker::Worker};
use crate::config::{Config, ConfigError};

/// How often a worker shows that it lives; after [`MISSED_HEARTBEATS`] of them without a sign, its jobs go to another.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A minute in all: it must stay over twice the job's time limit, or a slow job would run twice at a time.
const MISSED_HEARTBEATS: usize = 12;
/// The wait before a worker that lost its database starts again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Enqueues a job for each event, in the caller's transaction.
///
/// `now` is the database's time in seconds since 1970: apalis would take this process's clock, and a clock that is ahead
/// would make the job wait.
pub(crate) async fn enqueue(
    connection: &mut PgConnection,
    job: &str,
    event_ids: impl Iterator<Item = &str>,
    now: i64,
) -> sqlx::Result<()> {
    let tasks: Vec<PgTask> = event_ids.map(|event_id| task(event_id, now)).collect();
    if tasks.is_empty() {
        return Ok(());
    }
    push_tasks(connection, job, tasks).await.map_err(|error| match error {
        apalis_postgres::Error::Database(error) => error,
        other => sqlx::Error::Protocol(other.to_string()),
    })
}

fn task(event_id: &str, now: i64) -> PgTask {
    TaskBuilder::new(Value::from(event_id).to_string().into_bytes())
        // One row for each event and job, ever: the index on it refuses a second one.
        .idempotency_key(event_id)
        .run_at_timestamp(now.unsigned_abs())
        // apalis would leave a job that failed this often in limbo.
        .max_attempts(i32::MAX as usize)
        .build()
}

/// Moves a running job's next start; apalis' acknowledgement leaves it there. It outlives every restart.
pub(super) async fn postpone(
    connection: &mut PgConnection,
    task_id: &str,
    wait: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update apalis.jobs set run_at = clock_timestamp() + make_interval(secs => $2) where id = $1",
        task_id,
        wait.as_secs_f64(),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Lets jobs of this name that were given up run anew, those of one event or all; returns how many.
///
/// # Errors
///
/// The database can't be asked.
pub async fn run_anew(pool: &PgPool, job: &str, event_id: Option<&str>) -> sqlx::Result<u64> {
    let rows = sqlx::query!(
        "
        update apalis.jobs set status = 'Pending', run_at = now(), lock_by = null, lock_at = null, done_at = null
        where job_type = $1 and status = 'Killed' and ($2::text is null or idempotency_key = $2)
        ",
        job,
        event_id,
    )
    .execute(pool)
    .await?;
    Ok(rows.rows_affected())
}

/// What all workers of a process share.
#[derive(Clone)]
pub struct Workers {
    /// Their connections.
    pub pool: PgPool,
    /// Tells them to finish what they have in hand and to take no more.
    pub stop: CancellationToken,
    /// Counts them until they have.
    pub tracker: TaskTracker,
    /// Wakes them.
    pub bell: Bell,
    /// Hold them back from a vendor in trouble.
    pub breakers: Breakers,
    /// Lets one job at a time run of those that died with an earlier process.
    pub quarantine: Arc<Mutex<()>>,
}

/// A worker that has all it needs, and waits to be started.
pub type Start = Box<dyn FnOnce() + Send>;

/// Makes a job's worker. Started, it serves the job's queue until it is told to stop.
///
/// # Errors
///
/// The job lacks a setting, named in the error.
pub(super) fn prepare<J: Job>(config: &Config, workers: &Workers) -> Result<Start, ConfigError> {
    let job = J::new(config)?;
    let destination = job.destination();
    let worker = Arc::new(Worker {
        breaker: workers.breakers.of(&destination),
        destination,
        job: Arc::new(job),
        pool: workers.pool.clone(),
        policy: config.jobs.clone(),
        stop: workers.stop.clone(),
        quarantine: Arc::clone(&workers.quarantine),
    });
    let Workers { bell, tracker, .. } = workers.clone();
    Ok(Box::new(move || drop(tracker.spawn(serve(worker, bell)))))
}

async fn serve<J: Job>(worker: Arc<Worker<J>>, bell: Bell) {
    while !worker.stop.is_cancelled() {
        // A name is used once: under a name that comes back, a killed process's jobs would never be run again.
        let name = format!("{}-{}", J::NAME, Ulid::generate());
        let concurrency = worker.policy.concurrency;
        let settings = apalis_postgres::Config::default()
            .queue(J::NAME)
            .batch_size(concurrency)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS);
        let storage = PostgresStorage::<Value>::new(&worker.pool).with_config(settings).with_codec(Lenient);
        let running = WorkerBuilder::new(name)
            .backend(storage.poll_with_strategy(bell.of(J::NAME)))
            .data(Arc::clone(&worker))
            .concurrency(concurrency)
            .build(handle::<J>)
            .run_until(stopped(worker.stop.clone()));
        if let Err(error) = running.await {
            tracing::error!(job = J::NAME, %error, "the worker lost its queue and starts again");
            tokio::time::sleep(RESTART_AFTER).await;
        }
    }
}

/// Reads a job's argument. One that can't be read is `null`, and its job is given up: an error here would take the whole
/// worker down, and come back with its next start.
#[derive(Clone)]
struct Lenient;

impl Codec<Value> for Lenient {
    type Error = serde_json::Error;
    type Compact = Vec<u8>;

    fn encode(&self, argument: &Value) -> Result<Vec<u8>, Self::Error> {
        serde_json::to_vec(argument)
    }

    fn decode(&self, argument: &Vec<u8>) -> Result<Value, Self::Error> {
        Ok(serde_json::from_slice(argument).unwrap_or_default())
    }
}

async fn stopped(stop: CancellationToken) -> Result<(), WorkerError> {
    stop.cancelled().await;
    Ok(())
}

/// Translates between apalis and [`Worker::run`]: an error comes back at `run_at`, an [`AbortError`] never.
async fn handle<J: Job>(
    event_id: Value,
    task_id: TaskId,
    worker: Data<Arc<Worker<J>>>,
) -> Result<(), BoxDynError> {
    let Value::String(event_id) = event_id else {
        return Err(AbortError::new("its argument is no event id").into());
    };
    let pass = tokio::select! {
        pass = worker.breaker.pass() => pass,
        // It has not begun, and goes back as it is.
        () = worker.stop.cancelled() => return Err("the worker stops".into()),
    };
    match worker.run(&event_id, &task_id.to_string(), &pass).await {
        Ok(End::Done(_) | End::AlreadyDone | End::Skipped(_)) => Ok(()),
        Ok(End::Retry { failure, .. } | End::Paused { failure, .. }) => Err(failure.reason.into()),
        Ok(End::GivenUp(failure)) => Err(AbortError::new(failure.reason).into()),
        Err(error) => {
            tracing::error!(job = J::NAME, %error, "the database could not keep what became of a job; it runs again");
            tokio::time::sleep(RESTART_AFTER).await;
            Err(error.into())
        }
    }
}
