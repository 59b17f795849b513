//! The vendors' rolling limits: so many requests in any stretch of time.

use std::collections::{HashMap, VecDeque};
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
    /// HubSpot's own: 100 requests in 10 seconds (usage guidelines; 190 on paid tiers).
    #[must_use]
    pub fn hubspot() -> Self {
        Self { requests: 100, window: Duration::from_secs(10) }
    }

    /// Zendesk's own for ticket updates: 100 a minute and account (rate limits reference).
    #[must_use]
    pub fn zendesk() -> Self {
        Self { requests: 100, window: Duration::from_mins(1) }
    }

    /// Zendesk's own for the updates of one ticket by one user: 30 in 10 minutes (rate limits reference).
    #[must_use]
    pub fn zendesk_ticket() -> Self {
        Self { requests: 30, window: Duration::from_mins(10) }
    }

    /// HubSpot's own for searches: 5 a second and account (search guide).
    #[must_use]
    pub fn hubspot_search() -> Self {
        Self { requests: 5, window: Duration::from_secs(1) }
    }
}

/// The requests that were admitted within the limit, if there is one.
pub(crate) struct Window {
    limit: Option<RateLimit>,
    admitted: Mutex<VecDeque<Instant>>,
}

impl Window {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, admitted: Mutex::default() }
    }

    /// Takes a place, or says how long until there is one.
    ///
    /// No vendor says whether a refused request counts: here, no.
    pub(crate) fn admit(&self) -> Result<(), Duration> {
        let Some(limit) = self.limit else { return Ok(()) };
        let mut admitted = lock(&self.admitted);
        let now = Instant::now();
        while admitted.front().is_some_and(|&first| now.duration_since(first) >= limit.window) {
            admitted.pop_front();
        }
        if admitted.len() < limit.requests {
            admitted.push_back(now);
            return Ok(());
        }
        Err(admitted
            .front()
            .map_or(limit.window, |&first| limit.window.saturating_sub(now.duration_since(first))))
    }
}

/// The same limit for each of many things, told apart by a number.
pub(crate) struct Windows {
    limit: Option<RateLimit>,
    each: Mutex<HashMap<u64, Window>>,
}

impl Windows {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, each: Mutex::default() }
    }

    /// Takes a place for this one, or says how long until there is one.
    pub(crate) fn admit(&self, number: u64) -> Result<(), Duration> {
        lock(&self.each).entry(number).or_insert_with(|| Window::new(self.limit)).admit()
    }
}
