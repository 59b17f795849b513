//! One write after the other to each thing at a vendor, and none to one that takes no more for a while.
//!
//! Writes at the same time would only meet each other's conflicts, and a limit that holds for one ticket is no reason to hold
//! back the calls of others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard},
    time::{Instant, timeout},
};

use super::error::ClientError;

/// Who waits holds a place that a call of another ticket could have, and has still to write within its job's time limit.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// When it takes writes again.
type Paused = Option<Instant>;

/// Things of one kind that are being written to, or take no writes.
pub struct Turns {
    kind: &'static str,
    all: Mutex<HashMap<u64, Arc<Turn<Paused>>>>,
}

/// The right to write to one of them, until it is dropped.
#[derive(Debug)]
pub struct OwnTurn {
    name: String,
    paused: OwnedMutexGuard<Paused>,
}

impl Turns {
    /// Of things that are called so in errors: "ticket".
    #[must_use]
    pub fn of(kind: &'static str) -> Self {
        Self { kind, all: Mutex::default() }
    }

    /// Waits until nobody else of this process writes to the one of this number.
    ///
    /// # Errors
    ///
    /// [`ClientError::Limited`] where that takes more than five seconds, or it takes no writes.
    pub async fn take(&self, number: u64) -> Result<OwnTurn, ClientError> {
        let name = format!("{} {number}", self.kind);
        let Ok(paused) = timeout(LONGEST_WAIT, self.turn(number).lock_owned()).await else {
            let reason = format!("other calls are being written to {name}");
            return Err(ClientError::Limited { reason, after: LONGEST_WAIT });
        };
        match paused.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(after) if !after.is_zero() => Err(limited(&name, after)),
            _ => Ok(OwnTurn { name, paused }),
        }
    }

    fn turn(&self, number: u64) -> Arc<Turn<Paused>> {
        let mut turns = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // One that is held or waited for has other owners.
        let free = |turn: &Arc<Turn<Paused>>| {
            Arc::strong_count(turn) == 1
                && turn.try_lock().is_ok_and(|paused| paused.is_none_or(|until| until <= now))
        };
        turns.retain(|_, turn| !free(turn));
        Arc::clone(turns.entry(number).or_default())
    }
}

impl OwnTurn {
    /// Lets nobody write for so long; returns the error that says so.
    pub fn pause(&mut self, after: Duration) -> ClientError {
        *self.paused = Instant::now().checked_add(after);
        limited(&self.name, after)
    }
}

fn limited(name: &str, after: Duration) -> ClientError {
    ClientError::Limited { reason: format!("{name} takes no more updates for a while"), after }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u64 = 1;
    const OTHER: u64 = 2;

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_written_to_by_one_at_a_time_and_another_one_meanwhile() {
        let turns = Turns::of("ticket");
        let held = turns.take(OWN).await.expect("it is free");
        turns.take(OTHER).await.expect("it is another one's");
        let waited = turns.take(OWN).await.expect_err("it is held");
        assert!(matches!(waited, ClientError::Limited { after: LONGEST_WAIT, .. }), "{waited:?}");
        let (next, ()) = tokio::join!(turns.take(OWN), async { drop(held) });
        next.expect("it was given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_that_takes_no_updates_is_left_alone_until_it_does_and_then_forgotten() {
        let turns = Turns::of("ticket");
        let mut own = turns.take(OWN).await.expect("it is free");
        own.pause(Duration::from_mins(8));
        drop(own);
        turns.take(OTHER).await.expect("it is another one's");
        let paused = turns.take(OWN).await.expect_err("it takes none");
        assert!(matches!(paused, ClientError::Limited { after, .. } if after == Duration::from_mins(8)));
        tokio::time::sleep(Duration::from_mins(8)).await;
        turns.take(OTHER).await.expect("it is free");
        assert_eq!(turns.all.lock().expect("it is whole").len(), 1, "only the last one is kept");
        turns.take(OWN).await.expect("it takes them again");
    }
}
