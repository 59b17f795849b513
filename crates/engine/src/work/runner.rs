//! One run of a job: its receipt, the time limit, a panic, and what follows from a failure.

use std::{
    any::Any,
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio::{sync::Mutex, time::timeout_at};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    breaker::{Breaker, Run, Verdict},
    known::Known,
    ledger::{Attempt, Begun, End, Failure, Ledger},
    pruning::DELETED,
};
use crate::{
    call::Call,
    config::JobsConfig,
    job::{AnyJob, JobError, Outcome, Receipt},
    metrics,
    platform::Platform,
    rotation::Live,
    tally::{Tally, What},
    telemetry::{Safe, millis},
    vendor::{ClientError, run},
};

/// Starts without an end before a job counts as one that kills its process.
const MOST_CRASHES: i64 = 5;

/// The most characters of an error that are kept.
const LONGEST_REASON: usize = 500;

/// How long the database may take before a run. With the longest time limit it stays under the minute of a lease.
const LOOKS: Duration = Duration::from_secs(10);

/// The wait after the database has not said what is known of a call.
const UNREADABLE: Duration = Duration::from_secs(1);

/// The wait before a job looks again whether another event of its call is still worked on.
const BUSY_CALL: Duration = Duration::from_millis(200);

/// A job and what its runs need.
pub(super) struct Runner {
    /// [`Job::NAME`](crate::job::Job::NAME).
    pub(super) name: &'static str,
    pub(super) job: Live<dyn AnyJob>,
    /// [`Job::ONCE_A_CALL`](crate::job::Job::ONCE_A_CALL).
    pub(super) once_a_call: bool,
    /// [`Job::wants`](crate::job::Job::wants) under this deployment's settings.
    pub(super) wants: Box<dyn Fn(&Call) -> bool + Send + Sync>,
    pub(super) destination: String,
    /// Reads stored events again.
    pub(super) platform: &'static Platform,
    pub(super) tally: Tally,
    pub(super) pool: PgPool,
    pub(super) policy: JobsConfig,
    pub(super) breaker: Arc<Breaker>,
    /// Tells it to finish what it has in hand and to take no more.
    pub(super) stop: CancellationToken,
    /// Held by a job whose process died with it, so that of those that died together only the guilty one dies again.
    pub(super) quarantine: Arc<Mutex<()>>,
}

/// What became of a job that was fetched.
pub(super) enum Ended {
    /// It has not begun and burned no attempt, for this reason; it comes back by itself.
    NotBegun(&'static str),
    Attempt(End),
}

impl Runner {
    /// Runs the job for an event and writes down how it ended; `probe` says that it is to show whether its vendor is well.
    pub(super) async fn run(&self, event_id: &str, task_id: &str, probe: bool) -> sqlx::Result<Ended> {
        let ledger = Ledger {
            pool: &self.pool,
            job: self.name,
            destination: &self.destination,
            event_id,
            task_id,
            once_a_call: self.once_a_call,
        };
        let mut alone = None;
        let (begun, leased, attempt) = loop {
            if self.breaker.holds_back(probe) {
                return Ok(Ended::NotBegun("its vendor is in trouble"));
            }
            let (begun, leased) = (Instant::now(), tokio::time::Instant::now());
            match ledger.begin(alone.is_some()).await? {
                Begun::Attempt(attempt) => break (begun, leased, attempt),
                Begun::Suspect => tokio::select! {
                    lock = self.quarantine.lock() => alone = Some(lock),
                    () = self.stop.cancelled() => return Ok(Ended::NotBegun("the worker stops")),
                },
                Begun::Busy => {
                    ledger.put_off(BUSY_CALL).await?;
                    return Ok(Ended::NotBegun("another event of its call is worked on"));
                }
            }
        };
        let tried = self.attempt(&ledger, &attempt, probe, leased + LOOKS + self.policy.timeout).await;
        // Its vendor was asked nothing. Left without an end, it would count as one that its process died of.
        let end = tried.unwrap_or_else(|error| {
            let reason = format!("what is known of its call can't be read: {error}");
            End::Paused { failure: Failure { kind: "failed", reason }, wait: UNREADABLE }
        });
        ledger.end(&attempt, &end, &self.stop).await?;
        metrics::attempt(self.name, end.result());
        self.tally.count(What::Job, self.name, end.result());
        log(self.name, event_id, attempt.trace_id.as_deref(), millis(begun), &end);
        Ok(Ended::Attempt(end))
    }

    /// `latest` is when nothing more may be sent, whatever the run's own limit: another worker may have the lease by then.
    async fn attempt(
        &self,
        ledger: &Ledger<'_>,
        attempt: &Attempt,
        probe: bool,
        latest: tokio::time::Instant,
    ) -> sqlx::Result<End> {
        if attempt.crashes >= MOST_CRASHES {
            let reason = format!("its process died {MOST_CRASHES} times in the middle of it");
            return Ok(End::GivenUp(Failure { kind: "died", reason }));
        }
        let Some(known) = ledger.look().await? else {
            return Ok(End::Skipped(DELETED.to_owned()));
        };
        let call = match known.call(self.platform) {
            Ok(call) => call,
            Err(error) => {
                let reason = format!("its stored event can't be read: {error}");
                return Ok(End::GivenUp(Failure { kind: "failed", reason }));
            }
        };
        // An attempt that failed or died may have left older data at the vendor: only an untried job may stand back.
        if attempt.number == 1 && self.stands_back(ledger, &known, &call) {
            return Ok(End::Skipped(format!("superseded by {}", known.newest_id)));
        }
        if known.receipt {
            return Ok(End::AlreadyDone);
        }
        let (result, answered) = self.guarded(call.clone(), latest).await;
        let run = Run {
            call_id: &call.call_id,
            result: &result,
            answered: answered.contains(&self.destination),
            probe,
        };
        let verdict = self.breaker.tell(&run, self.policy.retry_max);
        Ok(match result {
            Ok(Outcome::Done(receipt)) => {
                metrics::done(self.name, call.ended_at);
                End::Done(storable(receipt, &call))
            }
            Ok(Outcome::Skipped(reason)) => End::Skipped(presentable(&reason, &call)),
            Err(error) => self.failed(attempt, &verdict, &error, &call),
        })
    }

    /// An older event leaves its call to the newest one, where that has this very job too, or wants none of it. It doesn't
    /// where it brings what the newest one lacks.
    fn stands_back(&self, ledger: &Ledger<'_>, known: &Known, newest: &Call) -> bool {
        known.newest_id != ledger.event_id
            && !known.brings_more()
            && (known.newest_has_job || !(self.wants)(newest))
    }

    /// Runs it in a task of its own, so that a panic or a hang costs this run and not the worker. Returns with it the
    /// origins that gave an answer which tells that they are well.
    async fn guarded(
        &self,
        call: Call,
        latest: tokio::time::Instant,
    ) -> (Result<Outcome, JobError>, BTreeSet<String>) {
        let job = self.job.now();
        let deadline = latest.min(tokio::time::Instant::now() + self.policy.timeout);
        let watched = run::watched(deadline, async move { job.run(&call).await });
        let task = AbortOnDropHandle::new(tokio::spawn(watched));
        match timeout_at(deadline, task).await {
            Ok(Ok((result, answered))) => (result, answered),
            Ok(Err(died)) => {
                let reason = format!("it panicked: {}", message(&died.into_panic()));
                (Err(JobError::Retry(reason)), BTreeSet::new())
            }
            Err(_) => {
                let limit = humantime::format_duration(self.policy.timeout);
                let reason = format!("it took longer than {limit} (JOB_TIMEOUT)");
                (Err(JobError::Retry(reason)), BTreeSet::new())
            }
        }
    }

    fn failed(&self, attempt: &Attempt, verdict: &Verdict, error: &JobError, call: &Call) -> End {
        let failure = Failure { kind: error.kind(), reason: presentable(&error.to_string(), call) };
        if let Verdict::Vendor(wait) = verdict {
            return End::Paused { failure, wait: *wait };
        }
        let after = match error {
            JobError::Awaits { after, .. } => {
                return End::Awaits { reason: failure.reason, wait: (*after).min(self.policy.retry_max) };
            }
            JobError::GiveUp(_) | JobError::Client(ClientError::Stop(_)) => return End::GivenUp(failure),
            JobError::Client(ClientError::Retry { after, .. }) => *after,
            JobError::Client(_) | JobError::Retry(_) => None,
        };
        if attempt.failing_for >= self.policy.give_up_after {
            let limit = humantime::format_duration(self.policy.give_up_after);
            let reason = format!("{} (given up after {limit}, JOB_GIVE_UP_AFTER)", failure.reason);
            return End::GivenUp(Failure { reason, ..failure });
        }
        End::Retry { failure, wait: self.wait(attempt, after) }
    }

    /// What the vendor asked for, else doubling from `JOB_RETRY_FIRST`; jitter only adds, up to a tenth.
    fn wait(&self, attempt: &Attempt, asked: Option<Duration>) -> Duration {
        let JobsConfig { retry_first, retry_max, .. } = self.policy;
        let doublings = attempt.failures.clamp(0, 30);
        let wait = match asked {
            Some(asked) => asked.max(Duration::from_secs(1)),
            None => retry_first.saturating_mul(1 << doublings),
        };
        wait.min(retry_max).mul_f64(1.0 + fastrand::f64() / 10.0)
    }
}

fn message(panic: &Box<dyn Any + Send>) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// What a vendor answered may hold anything.
fn storable(receipt: Receipt, call: &Call) -> Receipt {
    let text = |text: String| text.replace('\0', "\u{FFFD}");
    Receipt {
        external_id: text(receipt.external_id),
        url: receipt.url.map(text),
        note: receipt.note.map(|note| presentable(&note, call)),
        ..receipt
    }
}

/// A text that is fit for the database and the log: no NUL, none of the call's personal data, not endless.
fn presentable(text: &str, call: &Call) -> String {
    let text = call.redact(&text.replace('\0', "\u{FFFD}"));
    match text.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn log(job: &str, event_id: &str, trace_id: Option<&str>, ms: u64, end: &End) {
    let event_id = Safe(event_id);
    match end {
        End::Done(receipt) => {
            tracing::info!(target: "call", job, %event_id, trace_id, ms, "{job} done: {} ({ms} ms)", Safe(&receipt.to_string()));
        }
        End::AlreadyDone => {
            tracing::info!(target: "call", job, %event_id, trace_id, "{job} was done already");
        }
        End::Skipped(reason) => {
            tracing::info!(target: "call", job, %event_id, trace_id, "{job} skipped: {}", Safe(reason));
        }
        End::Retry { failure, wait } => {
            let wait = humantime::format_duration(Duration::from_secs(wait.as_secs().max(1)));
            tracing::warn!(target: "call", job, %event_id, trace_id, "{job} failed, next try in {wait}: {}", Safe(&failure.reason));
        }
        End::Paused { failure, .. } => {
            tracing::info!(target: "call", job, %event_id, trace_id, "{job} is paused: {}", Safe(&failure.reason));
        }
        End::Awaits { reason, .. } => {
            tracing::info!(target: "call", job, %event_id, trace_id, "{job} waits: {}", Safe(reason));
        }
        End::GivenUp(failure) => {
            tracing::error!(target: "call", job, %event_id, trace_id, "{job} given up: {}", Safe(&failure.reason));
        }
    }
}
