//! `.env`: settings from a file in the working directory, where docker compose looks for them too.

use std::{
    collections::HashSet,
    env,
    ffi::{OsStr, OsString},
    path::Path,
};

use super::ConfigError;

/// The file's name; `aftercall init` writes one.
pub const NAME: &str = ".env";

/// The names of the variables that came from the file.
#[derive(Debug, Default)]
pub struct FromFile(HashSet<OsString>);

impl FromFile {
    /// Whether this variable did.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(OsStr::new(name))
    }
}

/// Adds what `.env` in the working directory sets to the environment, and returns which variables these are. Variables
/// that are set stay as they are, and no other folder is looked into. It must run before there are threads.
///
/// # Errors
///
/// The file is there and can't be read, or a line of it is no `NAME=value`; the error doesn't repeat it, for it may hold a
/// secret.
pub fn load() -> Result<FromFile, ConfigError> {
    let names = || env::vars_os().map(|(name, _)| name).collect::<HashSet<_>>();
    // Some name a folder so, that of a virtual environment.
    if Path::new(NAME).is_dir() {
        return Ok(FromFile::default());
    }
    let before = names();
    match dotenvy::from_path(NAME) {
        Ok(()) => Ok(FromFile(&names() - &before)),
        Err(error) if error.not_found() => Ok(FromFile::default()),
        Err(dotenvy::Error::Io(error)) => Err(ConfigError::new(format!("{NAME} can't be read: {error}"))),
        Err(_) => Err(ConfigError::new(format!(
            "{NAME} has a line that is no NAME=value: put values with spaces, #, $ or quotes in single quotes"
        ))),
    }
}
