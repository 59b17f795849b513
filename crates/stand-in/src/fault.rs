//! What a test or a person can make go wrong, and for which requests.
//!
//! Tests build a [`Fault`]; people post the same as JSON to `/stand-in/faults`:
//!
//! ```json
//! {"fail": {"status": 503}, "times": 3, "method": "POST", "on": "batch/upsert"}
//! {"fail": {"rate_limited": {"retry_after": 7}}}
//! {"fail": {"slow_ms": 30000}, "endless": true}
//! {"fail": "lose_reply", "every": 10}
//! {"fail": "refuse_connection"}
//! ```

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lock;

/// One thing that goes wrong: once, unless `times`, `every` or `endless` says otherwise.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    fail: Failure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<NonZeroU32>,
    #[serde(default)]
    endless: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    Status(u16),
    RateLimited { retry_after: Option<u64> },
    SlowMs(u64),
    LoseReply,
    RefuseConnection,
}

impl Fault {
    /// Answers with this status and the vendor's error body, and does nothing else.
    ///
    /// 207 answers, where a vendor has batches, that every item of one was refused. A number that is no status becomes 500.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(Failure::Status(status))
    }

    /// Answers 429, with `Retry-After` in seconds or without it.
    #[must_use]
    pub fn rate_limited(retry_after: Option<u64>) -> Self {
        Self::new(Failure::RateLimited { retry_after })
    }

    /// Does the work at once and answers this much later, so that a caller who gives up has been served.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self::new(Failure::SlowMs(delay.as_millis().try_into().unwrap_or(u64::MAX)))
    }

    /// Does the work, then closes the connection without an answer.
    #[must_use]
    pub fn lose_reply() -> Self {
        Self::new(Failure::LoseReply)
    }

    /// Closes the connection without having done anything.
    #[must_use]
    pub fn refuse_connection() -> Self {
        Self::new(Failure::RefuseConnection)
    }

    fn new(fail: Failure) -> Self {
        Self { fail, method: None, on: None, times: None, every: None, endless: false }
    }

    /// Only for requests with this method.
    #[must_use]
    pub fn method(self, method: impl Into<String>) -> Self {
        Self { method: Some(method.into()), ..self }
    }

    /// Only for requests whose path contains this.
    #[must_use]
    pub fn on(self, fragment: impl Into<String>) -> Self {
        Self { on: Some(fragment.into()), ..self }
    }

    /// This many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only every n-th request that fits, until cleared unless `times` is given too.
    #[must_use]
    pub fn every(self, n: u32) -> Self {
        Self { every: NonZeroU32::new(n), ..self }
    }

    /// Until cleared.
    #[must_use]
    pub fn endless(self) -> Self {
        Self { endless: true, ..self }
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.on.as_ref().is_none_or(|fragment| path.contains(fragment.as_str()))
    }

    /// How often it may still happen; none is without an end.
    fn allowance(&self) -> Option<u32> {
        match (self.endless, self.times, self.every) {
            (true, ..) | (false, None, Some(_)) => None,
            (false, Some(times), _) => Some(times),
            (false, None, None) => Some(1),
        }
    }
}

/// The faults in the order in which they were queued, with how many requests each has seen.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<(Fault, u32)>>);

impl Faults {
    pub(crate) fn add(&self, mut fault: Fault) {
        fault.times = fault.allowance();
        fault.endless = fault.times.is_none();
        lock(&self.0).push((fault, 0));
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// What is queued, with what is left of `times`.
    pub(crate) fn all(&self) -> Vec<Fault> {
        lock(&self.0).iter().map(|(fault, _)| fault.clone()).collect()
    }

    /// What this request meets. A fault that it passes by, for it is not the n-th, leaves it to the next.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Failure> {
        let mut queue = lock(&self.0);
        queue.retain(|(fault, _)| fault.times != Some(0));
        for (fault, seen) in queue.iter_mut().filter(|(fault, _)| fault.fits(method, path)) {
            *seen = seen.wrapping_add(1);
            if fault.every.is_none_or(|n| *seen % n == 0) {
                fault.times = fault.times.map(|left| left - 1);
                return Some(fault.fail);
            }
        }
        None
    }
}
