//! The queues, as apalis serves them.
//!
//! apalis keeps what is to be done, wakes workers, and gives a dead worker's jobs to another. When a failed job comes
//! back, and when it doesn't, is decided in `runner`: apalis' own retries don't wait.

mod polled;
mod storage;

use std::{sync::Arc, time::Duration};

use apalis::prelude::*;
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use ulid::Ulid;

use self::{
    polled::Polled,
    storage::{Permit, Storage},
};
use super::{
    breaker::Breakers,
    ledger::End,
    runner::{Ended, Runner},
    wake_up::WakeUp,
};
use crate::{
    call::Call,
    config::{Config, ConfigError},
    job::{Enabled, JobKind},
    platform::Platform,
    rotation::{Live, Part},
    tally::Tally,
};

/// The wait before a worker that lost its database starts again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// A queue without a heartbeat for so long starts anew.
const STUCK: Duration = Duration::from_secs(30);

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
    pub wake_up: WakeUp,
    /// Hold them back from a vendor in trouble.
    pub breakers: Breakers,
    /// Lets one job at a time run of those that died with an earlier process.
    pub quarantine: Arc<Mutex<()>>,
    /// Reads stored events again.
    pub platform: &'static Platform,
    /// Counts runs by how they ended.
    pub(crate) tally: Tally,
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
pub fn prepare(
    kind: JobKind,
    jobs: &Enabled,
    config: &Config,
    workers: &Workers,
) -> Result<Prepared, ConfigError> {
    let job = kind.make(config)?;
    let destination = job.destination();
    let job = Live::new(job);
    let part = job.part(move |config| kind.make(config));
    let jobs = jobs.clone();
    let runner = Arc::new(Runner {
        name: kind.name,
        once_a_call: kind.once_a_call,
        breaker: workers.breakers.of(&destination),
        destination,
        job,
        wants: Box::new(move |call: &Call| jobs.wants(&kind, call)),
        platform: workers.platform,
        tally: workers.tally.clone(),
        pool: workers.pool.clone(),
        policy: config.jobs.clone(),
        stop: workers.stop.clone(),
        quarantine: Arc::clone(&workers.quarantine),
    });
    let Workers { wake_up, tracker, .. } = workers.clone();
    Ok(Prepared { start: Box::new(move || drop(tracker.spawn(serve(runner, wake_up)))), job: part })
}

async fn serve(runner: Arc<Runner>, wake_up: WakeUp) {
    while !runner.stop.is_cancelled() {
        // A name is used once: under a name that comes back, a killed process's jobs would never be run again.
        let name = format!("{}-{}", runner.name, Ulid::generate());
        let breaker = Arc::clone(&runner.breaker);
        let storage = Storage::new(runner.pool.clone(), runner.name, runner.policy.concurrency, breaker);
        let running = WorkerBuilder::new(name.as_str())
            .backend(Polled::new(storage.clone(), wake_up.clone()))
            .data(Arc::clone(&runner))
            .build(handle)
            .run_until(stopped(runner.stop.clone()));
        let ended = tokio::select! {
            ended = running => ended.map_err(|error| error.to_string()),
            () = storage.stuck_for(STUCK) => Err(format!("no heartbeat for {} s", STUCK.as_secs())),
        };
        storage.let_go();
        // Where that can't be done, the missing heartbeats do it in a minute.
        if let Err(error) = storage.give_back(&name).await {
            tracing::warn!(job = runner.name, %error, "the jobs in hand can't be given back at once");
        }
        if let Err(error) = ended {
            tracing::error!(job = runner.name, %error, "the worker lost its queue and starts again");
            tokio::time::sleep(RESTART_AFTER).await;
        }
    }
}

async fn stopped(stop: CancellationToken) -> Result<(), WorkerError> {
    stop.cancelled().await;
    Ok(())
}

/// Translates between apalis and [`Runner::run`]: an error comes back at `run_at`, an [`AbortError`] never.
async fn handle(
    argument: Vec<u8>,
    task_id: TaskId,
    permit: Data<Arc<Permit>>,
    runner: Data<Arc<Runner>>,
) -> Result<(), BoxDynError> {
    // An error of apalis' own reader would take the whole worker down, and come back with its next start.
    let Ok(event_id) = serde_json::from_slice::<String>(&argument) else {
        return Err(AbortError::new("its argument is no event id").into());
    };
    match runner.run(&event_id, &task_id.to_string(), permit.is_probe()).await {
        Ok(Ended::NotBegun(reason)) => Err(reason.into()),
        Ok(Ended::Attempt(End::Done(_) | End::AlreadyDone | End::Skipped(_))) => Ok(()),
        Ok(Ended::Attempt(End::Retry { failure, .. } | End::Paused { failure, .. })) => {
            Err(failure.reason.into())
        }
        Ok(Ended::Attempt(End::Awaits { reason, .. })) => Err(reason.into()),
        Ok(Ended::Attempt(End::GivenUp(failure))) => Err(AbortError::new(failure.reason).into()),
        Err(error) => {
            tracing::error!(job = runner.name, %error, "the database could not keep what became of a job; it runs again");
            tokio::time::sleep(RESTART_AFTER).await;
            Err(error.into())
        }
    }
}
