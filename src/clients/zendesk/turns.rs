//! One write after the other to each ticket, and none to a ticket that takes no more for a while.
//!
//! Writes at the same time would only meet each other's conflicts. Zendesk takes 30 updates of a ticket by one user in ten
//! minutes; that limit holds back the calls of this ticket and no others. (Zendesk's documentation, "Update Ticket".)

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard},
    time::{Instant, timeout},
};

use engine::vendor::{Answer, ClientError};

/// Who waits holds a place that a call of another ticket could have, and has still to write within its job's time limit.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Which limit of updates was exceeded, as `total=30; remaining=0; resets=480`.
const USAGE: &str = "zendesk-ratelimit-tickets-update";

/// What [`USAGE`] begins with where it is the limit of one ticket; the account's is 100 a minute, or 20 or 300.
const OF_ONE_TICKET: &str = "total=30;";

/// No limit of the account's has a longer window.
const WINDOW_OF_THE_ACCOUNT: Duration = Duration::from_mins(1);

/// When a ticket takes updates again.
type Paused = Option<Instant>;

/// The tickets that are being written to, or take no updates.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<u64, Arc<Turn<Paused>>>>);

/// The right to write to one ticket, until it is dropped.
#[derive(Debug)]
pub(super) struct OwnTurn {
    ticket: u64,
    paused: OwnedMutexGuard<Paused>,
}

impl Turns {
    /// Waits until nobody else of this process writes to the ticket.
    pub(super) async fn take(&self, ticket: u64) -> Result<OwnTurn, ClientError> {
        let Ok(paused) = timeout(LONGEST_WAIT, self.of(ticket).lock_owned()).await else {
            let reason = format!("other calls are being written to ticket {ticket}");
            return Err(ClientError::Limited { reason, after: LONGEST_WAIT });
        };
        match paused.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(after) if !after.is_zero() => Err(limited(ticket, after)),
            _ => Ok(OwnTurn { ticket, paused }),
        }
    }

    fn of(&self, ticket: u64) -> Arc<Turn<Paused>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // One that is held or waited for has other owners.
        let free = |turn: &Arc<Turn<Paused>>| {
            Arc::strong_count(turn) == 1
                && turn.try_lock().is_ok_and(|paused| paused.is_none_or(|until| until <= now))
        };
        turns.retain(|_, turn| !free(turn));
        Arc::clone(turns.entry(ticket).or_default())
    }
}

impl OwnTurn {
    /// What a 429 to an update means where it is the ticket's own limit; `None` where it is the account's, or can't be told.
    ///
    /// It is the ticket's when Zendesk says so, or when the pause is longer than any of the account's. A shorter one that
    /// says nothing is taken for the account's: then everything waits, a minute at most.
    pub(super) fn refused(&mut self, answer: &Answer) -> Option<ClientError> {
        let of_this_ticket =
            answer.header(USAGE).is_some_and(|usage| usage.trim().starts_with(OF_ONE_TICKET));
        let after = answer.retry_after.unwrap_or(WINDOW_OF_THE_ACCOUNT);
        (of_this_ticket || after > WINDOW_OF_THE_ACCOUNT).then(|| {
            *self.paused = Instant::now().checked_add(after);
            limited(self.ticket, after)
        })
    }
}

fn limited(ticket: u64, after: Duration) -> ClientError {
    ClientError::Limited { reason: format!("ticket {ticket} takes no more updates for a while"), after }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u64 = 1;
    const OTHER: u64 = 2;

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_written_to_by_one_at_a_time_and_another_one_meanwhile() {
        let turns = Turns::default();
        let held = turns.take(OWN).await.expect("it is free");
        turns.take(OTHER).await.expect("it is another one's");
        let waited = turns.take(OWN).await.expect_err("it is held");
        assert!(matches!(waited, ClientError::Limited { after: LONGEST_WAIT, .. }), "{waited:?}");
        let (next, ()) = tokio::join!(turns.take(OWN), async { drop(held) });
        next.expect("it was given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_that_takes_no_updates_is_left_alone_until_it_does_and_then_forgotten() {
        let turns = Turns::default();
        let mut own = turns.take(OWN).await.expect("it is free");
        *own.paused = Some(Instant::now() + Duration::from_mins(8));
        drop(own);
        turns.take(OTHER).await.expect("it is another one's");
        let paused = turns.take(OWN).await.expect_err("it takes none");
        assert!(matches!(paused, ClientError::Limited { after, .. } if after == Duration::from_mins(8)));
        tokio::time::sleep(Duration::from_mins(8)).await;
        turns.take(OTHER).await.expect("it is free");
        assert_eq!(turns.0.lock().expect("it is whole").len(), 1, "only the last one is kept");
        turns.take(OWN).await.expect("it takes them again");
    }
}
