//! apalis' own state machine over its own table, with what both leave out: deadlines, and no more jobs than there is room
//! for.
//!
//! apalis would fetch a batch, and neither beat nor acknowledge until the last of it has found a slot; it would fetch for a
//! vendor in trouble; and a connection that goes silent would stop it for good. Here a job is fetched only with a slot in
//! hand, a statement that fails is tried again at the next beat while the jobs in hand go on, and what a lost answer has
//! left locked in our name is given back.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use apalis::prelude::WorkerContext;
use apalis_core::backend::persistence::{Persistence, TaskEvent};
use apalis_postgres::{Config, Error, PgTask, queries};
use serde_json::Value;
use sqlx::PgPool;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use super::super::breaker::{Breaker, Grant, Probe};
use crate::db;
use crate::package::Package;

/// How often a worker shows that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);

/// After so many heartbeats without a sign of life a worker's jobs go to another: a minute in all. It must stay over twice
/// a job's time limit, or a slow job would run twice at a time.
const MISSED_HEARTBEATS: usize = 12;

/// Leave to run one job: a slot, and perhaps the place of its vendor's probe. It goes with the job.
pub(super) struct Permit {
    _slot: OwnedSemaphorePermit,
    probe: Option<Probe>,
}

impl Permit {
    /// Whether the job was fetched to see whether its vendor is well again.
    pub(super) fn is_probe(&self) -> bool {
        self.probe.is_some()
    }
}

/// One queue, as one worker sees it.
#[derive(Clone)]
pub(super) struct Storage {
    pool: PgPool,
    pub(super) queue: &'static str,
    pub(super) config: Config,
    breaker: Arc<Breaker>,
    pub(super) slots: Arc<Semaphore>,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    /// What was fetched, and is not acknowledged yet.
    in_hand: HashSet<String>,
    /// Acknowledgements that the database has not taken yet.
    unacknowledged: Vec<TaskEvent<Value>>,
    last_beat: Instant,
}

impl Storage {
    /// A queue of which so many jobs run at a time.
    pub(super) fn new(
        pool: PgPool,
        queue: &'static str,
        jobs_at_a_time: usize,
        breaker: Arc<Breaker>,
    ) -> Self {
        let config = Config::default()
            .queue(queue)
            .batch_size(jobs_at_a_time)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS);
        let shared =
            Shared { in_hand: HashSet::new(), unacknowledged: Vec::new(), last_beat: Instant::now() };
        let slots = Arc::new(Semaphore::new(jobs_at_a_time));
        Self { pool, queue, config, breaker, slots, shared: Arc::new(Mutex::new(shared)) }
    }

    /// Ends when no heartbeat was even tried for as long as this: then apalis is stuck.
    pub(super) async fn stuck_for(&self, limit: Duration) {
        loop {
            let deadline = self.shared().last_beat + limit;
            if deadline <= Instant::now() {
                return;
            }
            sleep_until(deadline).await;
        }
    }

    /// Gives back what is locked in a worker's name and not in hand: fetched by a statement whose answer was lost, or left
    /// by a worker that has ended.
    pub(super) async fn give_back(&self, worker: &str) -> sqlx::Result<u64> {
        let in_hand: Vec<String> = self.shared().in_hand.iter().cloned().collect();
        let given_back = sqlx::query!(
            "
            update apalis.jobs set status = 'Pending', lock_by = null, lock_at = null
            where lock_by = $1 and status in ('Queued', 'Running') and id <> all($2)
            ",
            worker,
            &in_hand,
        );
        Ok(db::within(given_back.execute(&self.pool)).await?.rows_affected())
    }

    /// Forgets what was in hand: its worker has ended.
    pub(super) fn let_go(&self) {
        self.shared().in_hand.clear();
    }

    /// Writes the acknowledgements that wait. What the database can't hold is dropped: its job is given back and runs again.
    async fn acknowledge(&self, worker: &str) {
        let events = std::mem::take(&mut self.shared().unacknowledged);
        let results = |event: &TaskEvent<Value>| match event {
            TaskEvent::Complete(result) => Some(result.clone()),
            _ => None,
        };
        let results: Vec<_> = events.iter().filter_map(results).collect();
        if results.is_empty() {
            return;
        }
        let written = db::within(async {
            let mut connection = self.pool.acquire().await?;
            let all: Vec<_> = results.iter().collect();
            queries::handle_results(&mut *connection, &all, worker).await.map_err(plain)
        });
        match written.await {
            Err(error) if error.as_database_error().is_none() => {
                tracing::warn!(queue = self.queue, %error, "what became of jobs can't be told to the queue yet");
                self.shared().unacknowledged.extend(events);
            }
            written => {
                if let Err(error) = written {
                    tracing::error!(queue = self.queue, %error, "the queue refuses what became of jobs: they run again");
                }
                let mut shared = self.shared();
                for result in results {
                    shared.in_hand.remove(&result.task_id().to_string());
                }
            }
        }
    }

    async fn beat(&self, worker: &WorkerContext) -> sqlx::Result<()> {
        let dead_for = self.config.orphaned_duration().as_secs();
        db::within(async {
            let mut connection = self.pool.acquire().await?;
            match queries::keep_alive(&mut *connection, self.queue, worker).await {
                Err(Error::WorkerOutOfSync) => self.sign_on(&mut connection, worker).await?,
                kept => kept.map_err(plain)?,
            }
            queries::reenqueue_orphaned(&mut *connection, self.queue, dead_for).await.map_err(plain)
        })
        .await?;
        let given_back = self.give_back(worker.name()).await?;
        if given_back > 0 {
            tracing::warn!(
                queue = self.queue,
                given_back,
                "jobs whose fetch was not answered go back to the queue"
            );
        }
        Ok(())
    }

    async fn sign_on(&self, connection: &mut sqlx::PgConnection, worker: &WorkerContext) -> sqlx::Result<()> {
        sqlx::query!(
            "
            insert into apalis.workers (id, worker_type, storage_name, layers, last_seen) values ($1, $2, $3, '', now())
            on conflict (id) do update set last_seen = now()
            ",
            worker.name(),
            self.queue,
            Package::of_this_process().name,
        )
        .execute(connection)
        .await
        .map(drop)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a database behind apalis' own.
fn plain(error: Error) -> sqlx::Error {
    match error {
        Error::Database(error) => error,
        other => sqlx::Error::Protocol(other.to_string()),
    }
}

impl Persistence for Storage {
    type Compact = Vec<u8>;
    type Response = Value;
    type Error = sqlx::Error;

    async fn register(&mut self, worker: &WorkerContext) -> sqlx::Result<()> {
        db::within(async {
            let mut connection = self.pool.acquire().await?;
            self.sign_on(&mut connection, worker).await
        })
        .await?;
        self.beat(worker).await
    }

    async fn heartbeat(&mut self, worker: &WorkerContext) -> sqlx::Result<()> {
        self.shared().last_beat = Instant::now();
        self.acknowledge(worker.name()).await;
        // The jobs in hand go on; the next beat may be heard.
        if let Err(error) = self.beat(worker).await {
            tracing::warn!(queue = self.queue, %error, "the worker can't show that it lives");
        }
        Ok(())
    }

    async fn fetch_next(&mut self, worker: &WorkerContext) -> sqlx::Result<Vec<PgTask>> {
        let free = self.slots.available_permits();
        if free == 0 {
            return Ok(Vec::new());
        }
        let (most, mut probe) = match self.breaker.grant() {
            None => return Ok(Vec::new()),
            Some(Grant::Any) => (free, None),
            Some(Grant::One(probe)) => (1, Some(probe)),
        };
        let config = self.config.clone().batch_size(most);
        let fetched = db::within(async {
            let mut connection = self.pool.acquire().await?;
            queries::fetch_next(&mut *connection, &config, worker).await.map_err(plain)
        });
        let mut tasks = fetched.await.unwrap_or_else(|error| {
            tracing::warn!(queue = self.queue, %error, "jobs can't be fetched");
            Vec::new()
        });
        for task in &mut tasks {
            let slot = Arc::clone(&self.slots).try_acquire_owned();
            let slot =
                slot.expect("no more jobs are fetched than there are slots, and nobody else takes one");
            self.shared().in_hand.extend(task.task_id().map(ToString::to_string));
            task.inject_data(Arc::new(Permit { _slot: slot, probe: probe.take() }));
        }
        Ok(tasks)
    }

    async fn handle_events(
        &mut self,
        events: Vec<TaskEvent<Value>>,
        worker: &WorkerContext,
    ) -> sqlx::Result<()> {
        self.shared().unacknowledged.extend(events);
        self.acknowledge(worker.name()).await;
        Ok(())
    }

    async fn reenqueue_abandoned(&mut self, tasks: Vec<PgTask>, worker: &WorkerContext) -> sqlx::Result<u64> {
        for id in tasks.iter().filter_map(|task| task.task_id()) {
            self.shared().in_hand.remove(&id.to_string());
        }
        self.give_back(worker.name()).await
    }

    async fn push_tasks(&mut self, _: Vec<PgTask>) -> sqlx::Result<()> {
        // The receiver enqueues, in the transaction that stores the event.
        Err(sqlx::Error::Protocol("a worker enqueues nothing".to_owned()))
    }
}
