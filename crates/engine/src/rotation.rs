//! Secrets that were handed in as files may change while the process runs, so that a rotation needs no restart.
//!
//! Whoever was made of settings is made anew of the changed ones: [`Live`] holds the one in force.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::interval,
};

use crate::config::{Config, ConfigError, Source};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Makes a part of the process anew of changed settings, and returns what puts it in force. Two steps, so that all parts
/// take a secret up or none does.
pub type Part = Box<dyn Fn(&Config) -> Result<PutInForce, ConfigError> + Send + Sync>;

/// Puts in force what was made.
pub type PutInForce = Box<dyn FnOnce() + Send>;

/// Something that is made of settings, in its present form.
pub struct Live<T: ?Sized>(Arc<RwLock<Arc<T>>>);

impl<T: ?Sized> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + Sync + ?Sized + 'static> Live<T> {
    /// Holds this at first.
    pub fn new(value: Arc<T>) -> Self {
        Self(Arc::new(RwLock::new(value)))
    }

    /// The one in force. Whoever has begun with it ends with it.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The part of the process that it is, which `make` makes anew.
    pub fn part(
        &self,
        make: impl Fn(&Config) -> Result<Arc<T>, ConfigError> + Send + Sync + 'static,
    ) -> Part {
        let live = self.clone();
        Box::new(move |config| {
            let (live, next) = (live.clone(), make(config)?);
            Ok(Box::new(move || *live.0.write().unwrap_or_else(PoisonError::into_inner) = next))
        })
    }
}

/// Reads the files of secrets again, and has all parts go by what they say.
pub struct Follower {
    source: Source,
    parts: Vec<Part>,
    /// The secrets in files.
    names: Vec<String>,
    /// What was said of each file that is of no use.
    told: BTreeMap<String, ConfigError>,
}

impl Follower {
    /// Follows the files of these settings, which the parts were made of.
    #[must_use]
    pub fn new(source: Source, parts: Vec<Part>) -> Self {
        let mut names = source.secrets_in_files();
        // The secret before a rotation is taken up ahead of the new one, so that no moment refuses it.
        names.reverse();
        Self { source, parts, names, told: BTreeMap::new() }
    }

    /// Looks every few seconds, and at once at a SIGHUP. Without a file it ends, and a SIGHUP does what it does everywhere.
    pub async fn run(mut self) {
        if self.names.is_empty() {
            return;
        }
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => {
                tracing::error!(%error, "changed secrets need a restart: SIGHUP can't be heard");
                return;
            }
        };
        let mut looks = interval(LOOK);
        loop {
            tokio::select! { _ = looks.tick() => {}, _ = hangup.recv() => {} }
            self.look();
        }
    }

    /// Looks once. A file that is empty, gone or of no use leaves its secret in force as it is, and is told once.
    pub fn look(&mut self) {
        for name in &self.names {
            match changed(&self.source, name, &self.parts) {
                Ok(None) => drop(self.told.remove(name)),
                Ok(Some(next)) => {
                    tracing::info!("{name} changed, and is in force");
                    self.source = next;
                    self.told.remove(name);
                }
                Err(error) if self.told.get(name) == Some(&error) => {}
                Err(error) => {
                    tracing::error!("{error}; the secret in force stays as it is");
                    self.told.insert(name.clone(), error);
                }
            }
        }
    }
}

/// The settings with what the secret's file says now, once all parts go by them; nothing where it says the same.
fn changed(source: &Source, name: &str, parts: &[Part]) -> Result<Option<Source>, ConfigError> {
    let Some(next) = source.read_again(name)? else { return Ok(None) };
    let config = next.config()?;
    config.refuse_short_secrets()?;
    let made: Vec<_> = parts.iter().map(|part| part(&config)).collect::<Result<_, _>>()?;
    for put_in_force in made {
        put_in_force();
    }
    Ok(Some(next))
}
