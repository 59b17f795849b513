//! Jobs on apalis: all that touches its crates or its table `apalis.jobs`.
//!
//! apalis keeps what is to be done, wakes workers, and gives a dead worker's jobs to another. When a failed job comes
//! back, and when it doesn't, is decided in [`worker`](super::worker): apalis' own retries don't wait.

mod polled;
mod storage;

use std::{sync::Arc, time::Duration};

use apalis::prelude::*;
use apalis_postgres::{PgTask, queries::push_tasks};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use ulid::Ulid;

use self::{
    polled::Polled,
    storage::{Permit, Storage},
};
use super::{
    Job,
    bell::Bell,
    breaker::Breakers,
    ledger::End,
    waiting::Waiting,
    worker::{Ended, Worker},
};
use crate::{
    call::Call,
    config::{Config, ConfigError},
    db,
    rotation::{Live, Part},
};

/// The wait before a worker that lost its database starts again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// A queue without a heartbeat for so long starts anew.
const STUCK: Duration = Duration::from_secs(30);

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

/// Whether an event has a job of this name, in whatever state.
pub(super) async fn has(pool: &PgPool, job: &str, event_id: &str) -> sqlx::Result<bool> {
    let query = sqlx::query_scalar!(
        r#"
        select exists (select from apalis.jobs where job_type = $1 and idempotency_key = $2)
            or exists (select from attempt where job = $1 and event_id = $2) as "has!"
        "#,
        job,
        event_id,
    );
    db::within(query.fetch_one(pool)).await
}

/// The queues with a job that is due for a minute and not begun.
///
/// # Errors
///
/// The database can't be asked.
pub async fn waiting(connection: &mut PgConnection) -> sqlx::Result<Vec<Waiting>> {
    // One look into the index by which jobs are fetched for each queue, however many jobs wait.
    sqlx::query_as!(
        Waiting,
        r#"
        with recursive queue (name) as (
            select min(job_type) from apalis.jobs
            union all
            select (select min(job_type) from apalis.jobs where job_type > name) from queue where name is not null
        )
        select queue.name as "job!", oldest.run_at as "since!",
               extract(epoch from now() - oldest.run_at)::float8 as "seconds!",
               exists (
                   select from apalis.workers
                   where worker_type = queue.name and last_seen > now() - interval '1 minute'
               ) as "served!"
        from queue cross join lateral (
            select run_at from apalis.jobs
            where job_type = queue.name and (status = 'Pending' or (status = 'Failed' and attempts < max_attempts))
            order by priority desc, run_at limit 1
        ) as oldest
        where oldest.run_at < now() - interval '1 minute'
        "#
    )
    .fetch_all(connection)
    .await
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
pub struct Prepared {
    /// Starts it.
    pub start: Box<dyn FnOnce() + Send>,
    /// Its job, which goes by secrets.
    pub job: Part,
}

/// Makes a job's worker. Started, it serves the job's queue until it is told to stop.
///
/// # Errors
///
/// The job lacks a setting, named in the error.
pub(super) fn prepare<J: Job>(config: &Arc<Config>, workers: &Workers) -> Result<Prepared, ConfigError> {
    let job = J::new(config)?;
    let destination = job.destination();
    let job = Live::new(job);
    let part = job.part(J::new);
    let settings = Arc::clone(config);
    let worker = Arc::new(Worker {
        breaker: workers.breakers.of(&destination),
        destination,
        job,
        wants: Box::new(move |call: &Call| J::wants(call, &settings)),
        pool: workers.pool.clone(),
        policy: config.jobs.clone(),
        stop: workers.stop.clone(),
        quarantine: Arc::clone(&workers.quarantine),
    });
    let Workers { bell, tracker, .. } = workers.clone();
    Ok(Prepared { start: Box::new(move || drop(tracker.spawn(serve(worker, bell)))), job: part })
}

async fn serve<J: Job>(worker: Arc<Worker<J>>, bell: Bell) {
    while !worker.stop.is_cancelled() {
        // A name is used once: under a name that comes back, a killed process's jobs would never be run again.
        let name = format!("{}-{}", J::NAME, Ulid::generate());
        let breaker = Arc::clone(&worker.breaker);
        let storage = Storage::new(worker.pool.clone(), J::NAME, worker.policy.concurrency, breaker);
        let running = WorkerBuilder::new(name.as_str())
            .backend(Polled::new(storage.clone(), bell.clone()))
            .data(Arc::clone(&worker))
            .build(handle::<J>)
            .run_until(stopped(worker.stop.clone()));
        let ended = tokio::select! {
            ended = running => ended.map_err(|error| error.to_string()),
            () = storage.stuck_for(STUCK) => Err(format!("no heartbeat for {} s", STUCK.as_secs())),
        };
        storage.let_go();
        // Where that can't be done, the missing heartbeats do it in a minute.
        if let Err(error) = storage.give_back(&name).await {
            tracing::warn!(job = J::NAME, %error, "the jobs in hand can't be given back at once");
        }
        if let Err(error) = ended {
            tracing::error!(job = J::NAME, %error, "the worker lost its queue and starts again");
            tokio::time::sleep(RESTART_AFTER).await;
        }
    }
}

async fn stopped(stop: CancellationToken) -> Result<(), WorkerError> {
    stop.cancelled().await;
    Ok(())
}

/// Translates between apalis and [`Worker::run`]: an error comes back at `run_at`, an [`AbortError`] never.
async fn handle<J: Job>(
    argument: Vec<u8>,
    task_id: TaskId,
    permit: Data<Arc<Permit>>,
    worker: Data<Arc<Worker<J>>>,
) -> Result<(), BoxDynError> {
    // An error of apalis' own reader would take the whole worker down, and come back with its next start.
    let Ok(event_id) = serde_json::from_slice::<String>(&argument) else {
        return Err(AbortError::new("its argument is no event id").into());
    };
    match worker.run(&event_id, &task_id.to_string(), permit.is_probe()).await {
        Ok(Ended::NotBegun(reason)) => Err(reason.into()),
        Ok(Ended::Attempt(End::Done(_) | End::AlreadyDone | End::Skipped(_))) => Ok(()),
        Ok(Ended::Attempt(End::Retry { failure, .. } | End::Paused { failure, .. })) => {
            Err(failure.reason.into())
        }
        Ok(Ended::Attempt(End::GivenUp(failure))) => Err(AbortError::new(failure.reason).into()),
        Err(error) => {
            tracing::error!(job = J::NAME, %error, "the database could not keep what became of a job; it runs again");
            tokio::time::sleep(RESTART_AFTER).await;
            Err(error.into())
        }
    }
}
