//! The circuit breaker: a vendor in trouble is left in peace, and its jobs burn no attempt meanwhile.
//!
//! One for each vendor and process. It opens when the vendor asks to slow down (for as long as it asks), when it refuses
//! our credential, and when several runs in a row, of more than one call, find it down. While it is open, the vendor's
//! queues fetch nothing but one job at a time, the probe, and only an answer of the vendor to a probe closes it. Other
//! vendors' jobs don't notice.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::wake_up::WakeUp;
use crate::{
    job::{JobError, Outcome},
    metrics,
    telemetry::Safe,
    vendor::ClientError,
};

/// Runs in a row that find the vendor down before all its jobs wait.
const TROUBLES: u32 = 3;

/// The wait before the first probe; it doubles up to [`LONGEST_PROBE`].
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LONGEST_PROBE: Duration = Duration::from_secs(5);

/// The breakers of a process, by the vendor's origin.
#[derive(Clone)]
pub struct Breakers {
    all: Arc<Mutex<HashMap<String, Arc<Breaker>>>>,
    wake_up: WakeUp,
}

impl Breakers {
    /// None yet; `wake_up` wakes the queues when one of them closes.
    #[must_use]
    pub fn new(wake_up: WakeUp) -> Self {
        Self { all: Arc::default(), wake_up }
    }

    /// The breaker that all jobs of this vendor share.
    pub(super) fn of(&self, destination: &str) -> Arc<Breaker> {
        let mut breakers = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let vendor = destination.to_owned();
            metrics::vendor_paused(&vendor, false);
            Arc::new(Breaker { vendor, wake_up: self.wake_up.clone(), state: Mutex::default() })
        };
        Arc::clone(breakers.entry(destination.to_owned()).or_insert_with(new))
    }
}

pub(super) struct Breaker {
    vendor: String,
    wake_up: WakeUp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Runs in a row that found the vendor down, and the calls that they were of.
    troubles: u32,
    calls: HashSet<String>,
    open: Option<Open>,
}

struct Open {
    /// When the next probe may go.
    until: Instant,
    /// The wait before it.
    wait: Duration,
    probing: bool,
}

/// How many jobs may be fetched now.
pub(super) enum Grant {
    /// As many as there is room for.
    Any,
    /// One, to see whether the vendor is well again.
    One(Probe),
}

/// The place of the one probe; dropped, it is free for the next.
pub(super) struct Probe {
    breaker: Arc<Breaker>,
}

/// A run that has ended, as far as it says something of its vendor.
pub(super) struct Run<'a> {
    pub(super) call_id: &'a str,
    pub(super) result: &'a Result<Outcome, JobError>,
    /// Whether the vendor gave an answer in it that tells that it is well.
    pub(super) answered: bool,
    /// Whether it was fetched as a probe.
    pub(super) probe: bool,
}

/// What a failed run means for its job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The job failed.
    Job,
    /// The vendor is in trouble, or limits what this job asks for: it is to come back after this time as if it had not run.
    Vendor(Duration),
}

impl Breaker {
    /// Says how many jobs of this vendor may be fetched; none while it is in trouble and no probe is due.
    pub(super) fn grant(self: &Arc<Self>) -> Option<Grant> {
        match &mut self.state().open {
            None => Some(Grant::Any),
            Some(open) if open.until <= Instant::now() && !open.probing => {
                open.probing = true;
                Some(Grant::One(Probe { breaker: Arc::clone(self) }))
            }
            Some(_) => None,
        }
    }

    /// Whether a job that was fetched has to wait after all: the breaker opened while it was on its way.
    pub(super) fn holds_back(&self, probe: bool) -> bool {
        !probe && self.state().open.is_some()
    }

    /// Takes note of how a run ended, and says whose fault a failure is. No pause that a vendor asks for is longer than
    /// `longest`: it may ask for nonsense.
    pub(super) fn tell(&self, run: &Run<'_>, longest: Duration) -> Verdict {
        let mut state = self.state();
        let next_probe = match &state.open {
            None => FIRST_PROBE,
            Some(open) if run.probe => (open.wait * 2).min(LONGEST_PROBE),
            Some(open) => open.wait,
        };
        let asked = |after: Duration| after.max(FIRST_PROBE).min(longest);
        match run.result {
            Err(JobError::Client(ClientError::Busy { reason, after })) => {
                self.open(&mut state, asked(*after), reason)
            }
            Err(JobError::Client(ClientError::Unauthorized(reason))) => {
                self.open(&mut state, next_probe, reason)
            }
            Err(JobError::Client(ClientError::Down(reason))) => {
                state.troubles += 1;
                state.calls.insert(run.call_id.to_owned());
                // An outage that one call alone has met may be that call's own doing.
                let outage = state.troubles >= TROUBLES && state.calls.len() > 1;
                if state.open.is_some() || outage {
                    self.open(&mut state, next_probe, reason)
                } else {
                    Verdict::Job
                }
            }
            result => {
                // A job that was skipped, or failed by itself, tells nothing of a vendor that it didn't ask.
                if run.answered || matches!(result, Ok(Outcome::Done(_))) {
                    self.is_well(&mut state, run.probe);
                } else if run.probe {
                    // The next job in the queue may be one that asks.
                    self.wake_up.wake_all();
                }
                match result {
                    // A limit of one thing says nothing of the rest.
                    Err(JobError::Client(ClientError::Limited { after, .. })) => {
                        Verdict::Vendor(asked(*after))
                    }
                    _ => Verdict::Job,
                }
            }
        }
    }

    /// What was sent before the breaker opened may be answered well after it: only a probe closes it.
    fn is_well(&self, state: &mut State, probe: bool) {
        if state.open.is_none() {
            *state = State::default();
        } else if probe {
            *state = State::default();
            metrics::vendor_paused(&self.vendor, false);
            tracing::info!(vendor = self.vendor, "it is well again: its jobs go on");
            self.wake_up.wake_all();
        }
    }

    fn open(&self, state: &mut State, wait: Duration, reason: &str) -> Verdict {
        let until = Instant::now() + wait;
        match &mut state.open {
            None => {
                let vendor = &self.vendor;
                tracing::error!(
                    vendor,
                    "{}: its jobs wait until it is well again: {}",
                    Safe(vendor),
                    Safe(reason)
                );
                metrics::vendor_paused(vendor, true);
                state.open = Some(Open { until, wait, probing: false });
            }
            Some(open) => {
                // A shorter pause that others meet ends no longer one.
                open.until = open.until.max(until);
                open.wait = wait;
            }
        }
        Verdict::Vendor(wait)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Some(open) = &mut self.breaker.state().open {
            open.probing = false;
        }
    }
}
