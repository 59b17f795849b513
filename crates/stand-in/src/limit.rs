//! Rolling limits: so many requests in any stretch of time.

use std::collections::HashMap;
use std::num::ParseIntError;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock;

/// So many requests in any stretch of time this long.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// How many are answered.
    pub requests: usize,
    /// In how long.
    pub window: Duration,
}

impl RateLimit {
    /// As many requests as this says in the same time, for the command line.
    pub(crate) fn parse(self, requests: &str) -> Result<Self, ParseIntError> {
        Ok(Self { requests: requests.parse()?, ..self })
    }
}

/// The requests that were admitted within the limit, if there is one.
pub(crate) struct Window {
    limit: Option<RateLimit>,
    admitted: Mutex<HashMap<u64, Vec<Instant>>>,
}

/// No place is left.
pub(crate) struct Full {
    pub(crate) limit: RateLimit,
    /// How long until there is a place.
    pub(crate) wait: Duration,
}

impl Window {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, admitted: Mutex::default() }
    }

    /// Takes a place.
    ///
    /// No vendor says whether a refused request counts: here, no.
    pub(crate) fn admit(&self) -> Result<(), Full> {
        self.admit_to(0)
    }

    /// Takes a place of those that each of many things has, told apart by a number.
    pub(crate) fn admit_to(&self, number: u64) -> Result<(), Full> {
        let Some(limit) = self.limit else { return Ok(()) };
        let mut all = lock(&self.admitted);
        let admitted = all.entry(number).or_default();
        let now = Instant::now();
        admitted.retain(|&then| now.duration_since(then) < limit.window);
        if admitted.len() < limit.requests {
            admitted.push(now);
            return Ok(());
        }
        let waited = admitted.first().map_or(Duration::ZERO, |&first| now.duration_since(first));
        Err(Full { limit, wait: limit.window.saturating_sub(waited) })
    }
}
