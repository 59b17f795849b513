//! Wakes the workers: at every new job, and every second for those that are due again.
//!
//! One listener for a process, whatever the number of queues. Postgres notifies of new jobs only, so a tick goes beside
//! it; and apalis' own interval forgets to tick when it falls due while a fetch ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use apalis::prelude::{PollSnapshot, PollStrategy};
use sqlx::{PgPool, postgres::PgListener};
use tokio::time::{MissedTickBehavior, interval};

/// The channel on which apalis' trigger notifies of new jobs.
const CHANNEL: &str = "apalis::job::insert";

/// How often due jobs are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Hangs in every queue's worker, and wakes them all.
#[derive(Clone, Default)]
pub struct Bell {
    wakers: Arc<Mutex<HashMap<&'static str, Waker>>>,
}

impl Bell {
    /// The polling strategy of one queue: it looks for jobs whenever the bell rings.
    pub(super) fn of(&self, queue: &'static str) -> Rope {
        Rope { bell: self.clone(), queue }
    }

    /// Rings for ever. Without a connection it goes on ticking, and connects again as soon as it can.
    ///
    /// It must outlive the workers: one that stops may wait for a ring to hear of its last job's end.
    pub async fn ring(self, pool: PgPool) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut listener = None;
        loop {
            if listener.is_none() {
                listener = listen(&pool)
                    .await
                    .inspect_err(|error| tracing::warn!(%error, "can't hear of new jobs"))
                    .ok();
            }
            let heard = async {
                match &mut listener {
                    Some(listener) => listener.recv().await.map(drop),
                    None => std::future::pending().await,
                }
            };
            let lost = tokio::select! {
                _ = tick.tick() => false,
                heard = heard => heard.is_err(),
            };
            if lost {
                listener = None;
            }
            for waker in self.wakers.lock().unwrap_or_else(PoisonError::into_inner).values() {
                waker.wake_by_ref();
            }
        }
    }
}

async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// One queue's end of the bell.
pub(super) struct Rope {
    bell: Bell,
    queue: &'static str,
}

impl PollStrategy for Rope {
    fn poll_drive(&mut self, context: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut wakers = self.bell.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.insert(self.queue, context.waker().clone());
        Poll::Pending
    }
}
