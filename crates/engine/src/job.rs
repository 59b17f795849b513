//! What a job is: the trait, how it ends, and the same without its type, as everything beneath sees it.

use std::{
    fmt,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
};

use crate::{
    call::Call,
    config::{Config, ConfigError},
    telemetry::Safe,
    vendor::ClientError,
};

/// Something that is done once for every call.
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

/// How a job ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did its work, and this is the receipt.
    Done(Receipt),
    /// There was nothing to do, for this reason.
    Skipped(String),
}

impl Outcome {
    /// It made, or found already made, this at the vendor: `Outcome::done("call", "512")`.
    pub fn done(made: &'static str, external_id: impl Into<String>) -> Receipt {
        Receipt { made, external_id: external_id.into(), url: None, note: None }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Done(receipt) => receipt.fmt(f),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}

/// What a job achieved at a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What was made: "call", "comment", "ticket".
    pub made: &'static str,
    /// The vendor's id for it.
    pub external_id: String,
    /// A link to it for people.
    pub url: Option<String>,
    /// What a person should know beside it, without personal data.
    pub note: Option<String>,
}

impl Receipt {
    /// With a link to it for people, where there is one.
    #[must_use]
    pub fn at(self, url: Option<String>) -> Self {
        Self { url, ..self }
    }

    /// With what a person should know beside it, where there is something.
    #[must_use]
    pub fn with(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.made, self.external_id)?;
        self.note.as_ref().map_or(Ok(()), |note| write!(f, ", {note}"))
    }
}

impl From<Receipt> for Outcome {
    fn from(receipt: Receipt) -> Self {
        Self::Done(receipt)
    }
}

/// How a job failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The vendor's answer decides whether it is tried again.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Worth another try, for this reason.
    #[error("{0}")]
    Retry(String),
    /// No later try can succeed, for this reason.
    #[error("{0}")]
    GiveUp(String),
}

impl JobError {
    /// The word for it in the table `attempt`, by which alerts tell one kind of failure from another.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Client(ClientError::Down(_)) => "down",
            Self::Client(ClientError::Busy { .. } | ClientError::Limited { .. }) => "busy",
            Self::Client(ClientError::Unauthorized(_)) => "unauthorized",
            Self::Client(ClientError::Retry { .. }) => "not yet",
            Self::Client(ClientError::Stop(_)) => "refused",
            Self::Retry(_) | Self::GiveUp(_) => "failed",
        }
    }
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

/// The setting's value, or an error that names the variable: `need!(settings.report_url)?`.
#[macro_export]
macro_rules! need {
    ($settings:ident.$name:ident) => {
        $settings.$name.as_ref().ok_or_else(|| $crate::config::ConfigError::missing(stringify!($name)))
    };
}
