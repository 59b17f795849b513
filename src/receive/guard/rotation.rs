//! A secret that was handed in as a file may change while the process runs, so that a rotation needs no restart.

use std::{sync::Arc, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::interval,
};

use super::Guard;
use crate::config::{Config, ConfigError};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Reads the files of the webhook's secrets again every few seconds, and at once at a SIGHUP. Without such a file it ends,
/// and a SIGHUP does what it does everywhere.
///
/// A file that is empty, gone or of no use leaves the secrets in force as they are, and is told once.
pub async fn follow(guard: Arc<Guard>, mut config: Config) {
    if config.webhook_secret_files().is_empty() {
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
    let mut told = None;
    loop {
        tokio::select! { _ = looks.tick() => {}, _ = hangup.recv() => {} }
        match changed(&guard, &config) {
            Ok(None) => told = None,
            Ok(Some((next, names))) => {
                tracing::info!("{} changed, and is in force", names.join(", "));
                (config, told) = (next, None);
            }
            Err(error) if told.as_ref() == Some(&error) => {}
            Err(error) => {
                tracing::error!("{error}; the secrets in force stay as they are");
                told = Some(error);
            }
        }
    }
}

/// The settings with what the files say now, and the names of those that changed, once the guard goes by them.
fn changed(guard: &Guard, config: &Config) -> Result<Option<(Config, Vec<&'static str>)>, ConfigError> {
    let mut next = config.clone();
    let names = next.read_files_again()?;
    if names.is_empty() {
        return Ok(None);
    }
    next.refuse_short_secrets()?;
    guard.rotate(&next.webhook)?;
    Ok(Some((next, names)))
}
