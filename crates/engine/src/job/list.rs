//! The jobs of a program, and those of them that run.

use std::{
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::contract::{AnyJob, Job};
use crate::{
    call::Call,
    config::{Config, ConfigError},
    telemetry::Safe,
};

/// A job of the program's list, over settings `S`: [`on`] or [`off`].
pub struct Listed<S> {
    pub(crate) kind: JobKind,
    settings: PhantomData<fn(&S)>,
}

/// A job that runs where `JOBS` is not set.
#[must_use]
pub const fn on<J: Job>() -> Listed<J::Settings> {
    Listed { kind: JobKind::of::<J>(true), settings: PhantomData }
}

/// A job that runs where `JOBS` names it.
#[must_use]
pub const fn off<J: Job>() -> Listed<J::Settings> {
    Listed { kind: JobKind::of::<J>(false), settings: PhantomData }
}

/// The same entry without its types: what everything beneath sees.
#[derive(Clone, Copy)]
pub struct JobKind {
    /// [`Job::NAME`].
    pub name: &'static str,
    /// Whether it runs where `JOBS` is not set.
    pub by_default: bool,
    /// [`Job::ONCE_A_CALL`].
    pub once_a_call: bool,
    wants: fn(&Call, &Config) -> bool,
    make: fn(&Config) -> Result<Arc<dyn AnyJob>, ConfigError>,
}

impl JobKind {
    const fn of<J: Job>(by_default: bool) -> Self {
        Self {
            name: J::NAME,
            by_default,
            once_a_call: J::ONCE_A_CALL,
            wants: |call, config| J::wants(call, config.fork.get()),
            make: |config| Ok(Arc::new(J::new(config.fork.get())?)),
        }
    }

    /// Whether the job has anything to do with this call. One that panics over it has: its run says more, and nothing is lost.
    #[must_use]
    pub fn wants(&self, call: &Call, config: &Config) -> bool {
        // Receivers ask in the task that stores all calls.
        catch_unwind(AssertUnwindSafe(|| (self.wants)(call, config))).unwrap_or_else(|_| {
            tracing::error!(job = self.name, event_id = %Safe(&call.event_id), "it panicked over whether it wants this call");
            true
        })
    }

    /// Makes the job.
    ///
    /// # Errors
    ///
    /// It lacks a setting.
    pub fn make(&self, config: &Config) -> Result<Arc<dyn AnyJob>, ConfigError> {
        (self.make)(config)
            .map_err(|error| ConfigError(format!("{error} (or take {} out of JOBS)", self.name)))
    }
}

/// All jobs of the program, in the order of its list.
#[derive(Clone)]
pub struct Jobs(Arc<[JobKind]>);

impl Jobs {
    /// Those of the list.
    #[must_use]
    pub fn of<S>(list: &[Listed<S>]) -> Self {
        Self(list.iter().map(|listed| listed.kind).collect())
    }

    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[JobKind] {
        &self.0
    }

    /// What `JOBS` is where it is not set.
    #[must_use]
    pub fn by_default(&self) -> String {
        let on = self.0.iter().filter(|kind| kind.by_default);
        on.map(|kind| kind.name).collect::<Vec<_>>().join(",")
    }

    /// The job of this name.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn named(&self, name: &str) -> Result<JobKind, ConfigError> {
        self.0.iter().find(|kind| kind.name == name).copied().ok_or_else(|| {
            let known: Vec<_> = self.0.iter().map(|kind| kind.name).collect();
            ConfigError::new(format!("`{name}` is no job: there are {}", known.join(", ")))
        })
    }

    /// Those that `JOBS` names.
    ///
    /// # Errors
    ///
    /// It names one that doesn't exist.
    pub fn enabled(&self, config: &Config) -> Result<Vec<JobKind>, ConfigError> {
        let find = |name: &String| self.named(name).map_err(|error| ConfigError(format!("JOBS: {error}")));
        config.jobs.enabled.0.iter().map(find).collect()
    }
}

/// The jobs that run, and what they go by when a call is offered to them.
#[derive(Clone)]
pub struct Enabled {
    kinds: Arc<[JobKind]>,
    /// Without any secret.
    config: Arc<Config>,
}

impl Enabled {
    /// These jobs, over settings that hold no secret.
    #[must_use]
    pub fn new(kinds: Vec<JobKind>, config: Arc<Config>) -> Self {
        Self { kinds: kinds.into(), config }
    }

    /// Each of them.
    #[must_use]
    pub fn kinds(&self) -> &[JobKind] {
        &self.kinds
    }

    /// Whether this job has anything to do with the call.
    #[must_use]
    pub fn wants(&self, kind: &JobKind, call: &Call) -> bool {
        kind.wants(call, &self.config)
    }
}
