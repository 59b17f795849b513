//! What became of deliveries, so that people can be told when some are refused that were not before.

use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

use crate::{answer::Rejection, serve::household};

/// The most addresses that are remembered: a platform has fewer.
const MOST_ADDRESSES: usize = 1000;

/// Counts refusals, and remembers who has delivered.
#[derive(Default)]
pub struct Outcomes(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    delivering: HashSet<IpAddr>,
    refused: BTreeMap<Kind, Refused>,
}

/// One kind of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// [`Rejection::reason`].
    pub reason: &'static str,
    /// Whether the address had delivered before.
    pub has_delivered: bool,
}

/// The refusals of one kind, since the process started.
#[derive(Debug, Clone)]
pub struct Refused {
    /// How many.
    pub times: u64,
    /// The status of the answer.
    pub status: u16,
    /// What the last one was told.
    pub why: String,
    /// Whose it was.
    pub client: IpAddr,
    /// When.
    pub at: DateTime<Utc>,
}

impl Outcomes {
    /// Takes note of a delivery that was answered 200.
    pub fn taken(&self, client: IpAddr) {
        let counts = &mut *self.counts();
        if counts.delivering.len() < MOST_ADDRESSES {
            counts.delivering.insert(household(client));
        }
    }

    /// Takes note of one that was refused for what it is. What lies with us is told elsewhere, and who asks for another path
    /// or method, or goes on after too many failures, delivers nothing.
    pub fn refused(&self, client: IpAddr, rejection: &Rejection) {
        let status = rejection.status();
        if status.is_server_error() || [404, 405, 410, 429].contains(&status.as_u16()) {
            return;
        }
        let (status, why) = (status.as_u16(), rejection.for_people());
        let counts = &mut *self.counts();
        let has_delivered = counts.delivering.contains(&household(client));
        let kind = Kind { reason: rejection.reason(), has_delivered };
        let before = counts.refused.get(&kind).map_or(0, |refused| refused.times);
        counts.refused.insert(kind, Refused { times: before + 1, status, why, client, at: Utc::now() });
    }

    /// The refusals of every kind that there were.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<Kind, Refused> {
        self.counts().refused.clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
