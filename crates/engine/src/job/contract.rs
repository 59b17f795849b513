//! What a job does.

use std::pin::Pin;

use super::outcome::{JobError, Outcome};
use crate::{call::Call, config::ConfigError, vendor::ClientError};

/// Something that is done for every call: for each of its events, or once ([`Self::ONCE_A_CALL`]).
///
/// It is run again until it succeeds or is given up, also when its process died in the middle of it: whatever it does at
/// a vendor must be safe to repeat.
pub trait Job: Send + Sync + Sized + 'static {
    /// Its name, also its queue's and the word in `JOBS`. Renamed, it leaves its queued work behind.
    const NAME: &'static str;

    /// Whether it is done once for a call, rather than for each of its events: what is told once, such as a report, and
    /// needs no bringing up to date.
    const ONCE_A_CALL: bool = false;

    /// The program's settings.
    type Settings: Send + Sync + 'static;

    /// Makes it from the settings; only workers do.
    ///
    /// # Errors
    ///
    /// A missing setting, named ([`need!`](crate::need)): the worker refuses to start.
    fn new(settings: &Self::Settings) -> Result<Self, ConfigError>;

    /// The origin of the system that it writes to. Receipts from another origin don't count.
    fn destination(&self) -> String;

    /// Whether it has anything to do with this call; asked by receivers, with settings in which every secret is `None`.
    fn wants(_call: &Call, _settings: &Self::Settings) -> bool {
        true
    }

    /// Asks its vendor something that changes nothing, and returns what it found: is it there, does it know us, may we do
    /// what the job does? `doctor` prints it. A job without such a question has nothing to return.
    fn check(&self) -> impl Future<Output = Result<Option<String>, ClientError>> + Send {
        async { Ok(None) }
    }

    /// Makes what its vendor must have once, and says what; safe to repeat. `setup` runs it.
    fn set_up(&self) -> impl Future<Output = Result<Option<String>, ClientError>> + Send {
        async { Ok(None) }
    }

    /// Does it. The call is the newest that is known of it.
    fn run(&self, call: &Call) -> impl Future<Output = Result<Outcome, JobError>> + Send;
}

/// What a future of a job's is without its type.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A [`Job`] without its type, so that the queue is built once and not for each.
pub trait AnyJob: Send + Sync {
    /// [`Job::destination`].
    fn destination(&self) -> String;

    /// [`Job::check`].
    fn check(&self) -> Boxed<'_, Result<Option<String>, ClientError>>;

    /// [`Job::set_up`].
    fn set_up(&self) -> Boxed<'_, Result<Option<String>, ClientError>>;

    /// [`Job::run`].
    fn run<'a>(&'a self, call: &'a Call) -> Boxed<'a, Result<Outcome, JobError>>;
}

impl<J: Job> AnyJob for J {
    fn destination(&self) -> String {
        Job::destination(self)
    }

    fn check(&self) -> Boxed<'_, Result<Option<String>, ClientError>> {
        Box::pin(Job::check(self))
    }

    fn set_up(&self) -> Boxed<'_, Result<Option<String>, ClientError>> {
        Box::pin(Job::set_up(self))
    }

    fn run<'a>(&'a self, call: &'a Call) -> Boxed<'a, Result<Outcome, JobError>> {
        Box::pin(Job::run(self, call))
    }
}
