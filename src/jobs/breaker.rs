//! A vendor in trouble: its jobs wait behind a probe, and burn no attempt meanwhile.
//!
//! One breaker for each vendor and process. It opens when the vendor asks to slow down (for as long as it asks), when it
//! refuses our credential, and when several runs in a row, of more than one call, find it down. While it is open one run
//! at a time looks whether the vendor is back; other vendors' jobs don't notice.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{JobError, Outcome};
use crate::clients::ClientError;

/// Runs in a row that find the vendor down before all its jobs wait.
const TROUBLES: u32 = 3;

/// The wait before the first probe; it doubles up to [`LONGEST_PROBE`].
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LONGEST_PROBE: Duration = Duration::from_secs(5);

/// The breakers of a process, by the vendor's origin.
#[derive(Clone, Default)]
pub struct Breakers(Arc<Mutex<HashMap<String, Arc<Breaker>>>>);

impl Breakers {
    /// The breaker that all jobs of this vendor share.
    pub(super) fn of(&self, destination: &str) -> Arc<Breaker> {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Breaker { vendor: destination.to_owned(), ..Breaker::default() });
        Arc::clone(breakers.entry(destination.to_owned()).or_insert_with(new))
    }
}

#[derive(Default)]
pub(super) struct Breaker {
    vendor: String,
    state: Mutex<State>,
    closed: Notify,
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

/// Leave to run once; it must be told how the run ended.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

/// What a failed run means for its job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The job failed.
    Job,
    /// The vendor is in trouble; the job is to come back after this time as if it had not run.
    Vendor(Duration),
}

impl Breaker {
    /// Waits until the vendor may be asked.
    pub(super) async fn pass(&self) -> Pass<'_> {
        loop {
            // Listening begins before the look, so that a close in between is heard.
            let closed = self.closed.notified();
            let until = {
                let mut state = self.state();
                match &mut state.open {
                    None => return Pass { breaker: self, probe: false },
                    Some(open) if open.until <= Instant::now() && !open.probing => {
                        open.probing = true;
                        return Pass { breaker: self, probe: true };
                    }
                    // A probe that is under way ends by closing the breaker, or by a later `until`.
                    Some(open) => open.until.max(Instant::now() + Duration::from_millis(100)),
                }
            };
            tokio::select! { () = closed => {}, () = sleep_until(until) => {} }
        }
    }

    fn open(&self, state: &mut State, wait: Duration, reason: &str) -> Blame {
        if state.open.is_none() {
            let vendor = &self.vendor;
            tracing::error!(
                vendor,
                "its jobs wait until it is well again: {}",
                crate::telemetry::Safe(reason)
            );
        }
        state.open = Some(Open { until: Instant::now() + wait, wait, probing: false });
        Blame::Vendor(wait)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Takes note of how the run for this call ended, and says whose fault a failure is. No pause that a vendor asks for
    /// is longer than `longest`: it may ask for nonsense.
    pub(super) fn tell(&self, call_id: &str, result: &Result<Outcome, JobError>, longest: Duration) -> Blame {
        let mut state = self.breaker.state();
        let next_probe = state.open.as_ref().map_or(FIRST_PROBE, |open| (open.wait * 2).min(LONGEST_PROBE));
        match result {
            Err(JobError::Client(ClientError::Busy { reason, after })) => {
                self.breaker.open(&mut state, (*after).max(FIRST_PROBE).min(longest), reason)
            }
            Err(JobError::Client(ClientError::Unauthorized(reason))) => {
                self.breaker.open(&mut state, next_probe, reason)
            }
            Err(JobError::Client(ClientError::Down(reason))) => {
                state.troubles += 1;
                state.calls.insert(call_id.to_owned());
                // An outage that one call alone has met may be that call's own doing.
                let outage = state.troubles >= TROUBLES && state.calls.len() > 1;
                if state.open.is_some() || outage {
                    self.breaker.open(&mut state, next_probe, reason)
                } else {
                    Blame::Job
                }
            }
            // A limit of one thing says nothing of the rest: this job alone comes back later, and burns no attempt.
            Err(JobError::Client(ClientError::Limited { after, .. })) => {
                Blame::Vendor((*after).max(FIRST_PROBE).min(longest))
            }
            // A panic or the time limit tells nothing of the vendor.
            Err(JobError::Retry(_)) => Blame::Job,
            Ok(_) | Err(_) => {
                if state.open.is_some() {
                    let vendor = &self.breaker.vendor;
                    tracing::info!(vendor, "it is well again: its jobs go on");
                }
                *state = State::default();
                self.breaker.closed.notify_waiters();
                Blame::Job
            }
        }
    }
}

impl Drop for Pass<'_> {
    /// A probe that told nothing leaves its place to the next.
    fn drop(&mut self) {
        if self.probe
            && let Some(open) = &mut self.breaker.state().open
        {
            open.probing = false;
        }
    }
}
