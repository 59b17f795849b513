//! `.env`: settings from a file in the working directory, where docker compose looks for them too.

use std::{
    collections::HashSet,
    env,
    ffi::{OsStr, OsString},
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use rustix::process::{getegid, geteuid};

use super::values::ConfigError;

/// The file's name; `init` writes one.
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
/// The file is there and can't be read, somebody else can write into it, or a line of it is no `NAME=value`; the error doesn't repeat it, for it may hold a
/// secret.
pub fn load() -> Result<FromFile, ConfigError> {
    let names = || env::vars_os().map(|(name, _)| name).collect::<HashSet<_>>();
    // Some name a folder so, that of a virtual environment.
    if Path::new(NAME).is_dir() {
        return Ok(FromFile::default());
    }
    let unreadable = |error: io::Error| ConfigError::new(format!("{NAME} can't be read: {error}"));
    let file = match File::open(NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FromFile::default()),
        opened => opened.map_err(unreadable)?,
    };
    // Of the file that is read, whatever the name leads to a moment later.
    refuse_of_others(&file.metadata().map_err(unreadable)?)?;
    let before = names();
    match dotenvy::from_read(file) {
        Ok(()) => Ok(FromFile(&names() - &before)),
        Err(dotenvy::Error::Io(error)) => Err(unreadable(error)),
        Err(_) => Err(ConfigError::new(format!(
            "{NAME} has a line that is no NAME=value: put values with spaces, #, $ or quotes in single quotes"
        ))),
    }
}

/// Refuses a file into which somebody else can write: they could send our secrets to a server of theirs. Root may, since
/// containers and installers have it write the file, and so may our own group, since a umask of 002 lets a user's group of
/// one write into every file.
fn refuse_of_others(file: &Metadata) -> Result<(), ConfigError> {
    let us = geteuid().as_raw();
    if file.uid() != us && file.uid() != 0 {
        return Err(ConfigError::new(format!(
            "{NAME} belongs to another user (uid {}), who could put any setting there: `chown {us} {NAME}` if you trust what \
             it says, or start in another folder",
            file.uid()
        )));
    }
    let others = file.mode() & 0o002 != 0;
    let another_group = file.mode() & 0o020 != 0 && file.gid() != getegid().as_raw();
    if others || another_group {
        return Err(ConfigError::new(format!(
            "{NAME} can be written by others, who could put any setting there: look through it, then `chmod go-w {NAME}`"
        )));
    }
    Ok(())
}
