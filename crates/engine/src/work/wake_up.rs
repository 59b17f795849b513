//! Wakes the queues: at every new job, and every second for jobs that are due again.
//!
//! One listener for a process, whatever the number of queues. Postgres notifies of new jobs only, so a tick goes beside
//! it; and apalis' own interval forgets to tick when it falls due while a fetch ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    task::Waker,
    time::Duration,
};

use sqlx::{Executor, PgPool, postgres::PgListener};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::db;

/// The channel on which apalis' trigger notifies of new jobs.
const CHANNEL: &str = "apalis::job::insert";

/// How often due jobs are looked for.
const TICK: Duration = Duration::from_secs(1);

/// After so long without a word the listener asks whether its connection is still there.
const SILENCE: Duration = Duration::from_secs(10);

/// The wait before a lost listener connects again; the tick goes on meanwhile.
const RECONNECT: Duration = Duration::from_secs(1);

/// Wakes every queue.
#[derive(Clone, Default)]
pub struct WakeUp {
    wakers: Arc<Mutex<HashMap<&'static str, Waker>>>,
}

impl WakeUp {
    /// Wakes this queue from now on, in place of what was woken for it before.
    pub(super) fn wake(&self, queue: &'static str, waker: &Waker) {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner).insert(queue, waker.clone());
    }

    /// Wakes every queue once.
    pub(super) fn wake_all(&self) {
        for waker in self.wakers.lock().unwrap_or_else(PoisonError::into_inner).values() {
            waker.wake_by_ref();
        }
    }

    /// Wakes them for ever, at every tick and every new job.
    ///
    /// It must outlive the workers: one that stops may wait to be woken to hear of its last job's end.
    pub async fn run(self, pool: PgPool) {
        tokio::join!(self.tick(), self.listen(&pool));
    }

    async fn tick(&self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.wake_all();
        }
    }

    async fn listen(&self, pool: &PgPool) {
        loop {
            let Err(error) = self.hear(pool).await;
            tracing::warn!(%error, "can't hear of new jobs: they are found within a second");
            sleep(RECONNECT).await;
        }
    }

    /// Wakes the queues at every notification, for as long as the connection answers.
    async fn hear(&self, pool: &PgPool) -> sqlx::Result<std::convert::Infallible> {
        let mut listener = db::within(async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.listen(CHANNEL).await?;
            Ok(listener)
        })
        .await?;
        loop {
            match timeout(SILENCE, listener.recv()).await {
                Ok(heard) => heard.map(|_| self.wake_all())?,
                Err(_) => db::within(listener.execute("select 1")).await.map(drop)?,
            }
        }
    }
}
