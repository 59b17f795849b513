//! The vendors' accounts, and the file in which they outlive a restart: JSON, with each account under its vendor's name.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::lock;

/// The file, or none: then nothing is read from it or written to it.
pub(crate) struct File {
    path: Option<PathBuf>,
    /// What is in it. What is no vendor's, or one's that is gone, stays as it is.
    content: Mutex<BTreeMap<String, Value>>,
}

impl File {
    pub(crate) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let content = path.as_deref().map_or_else(|| Ok(BTreeMap::new()), read)?;
        Ok(Self { path, content: Mutex::new(content) })
    }

    /// The account under this name, if there is one.
    pub(crate) fn account<A: DeserializeOwned>(&self, name: &str) -> io::Result<Option<A>> {
        let account = lock(&self.content).get(name).cloned();
        account.map(serde_json::from_value).transpose().map_err(|error| self.invalid(&error))
    }

    /// Writes the accounts for the first time, once all are read: a file that is not understood stays as it is.
    pub(crate) fn begin(&self) -> io::Result<()> {
        self.write(&lock(&self.content))
    }

    fn keep(&self, name: &'static str, account: &impl Serialize) -> io::Result<()> {
        if self.path.is_none() {
            return Ok(());
        }
        let account = serde_json::to_value(account)?;
        // Held to the end, so that older content never replaces newer.
        let mut content = lock(&self.content);
        content.insert(name.to_owned(), account);
        self.write(&content)
    }

    /// Written beside the file and renamed over it: who reads it sees the old or the new one.
    fn write(&self, content: &BTreeMap<String, Value>) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let beside = path.with_extension("tmp");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // One that an earlier run left has the rights that it had then.
        if let Err(error) = fs::remove_file(&beside)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // It holds the names and numbers of people.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&beside)?.write_all(&serde_json::to_vec_pretty(content)?)?;
        fs::rename(beside, path)
    }

    fn invalid(&self, why: &dyn std::fmt::Display) -> io::Error {
        invalid(self.path.as_deref().unwrap_or(Path::new("")), why)
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<String, Value>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
        Ok(json) => serde_json::from_slice(&json).map_err(|error| invalid(path, &error)),
    }
}

fn invalid(path: &Path, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()))
}

/// A vendor's account, as its API and the tests see it.
pub(crate) struct Kept<A> {
    account: Mutex<A>,
    name: &'static str,
    file: Arc<File>,
}

impl<A: Serialize> Kept<A> {
    /// Keeps this account in the file under this name, from [`File::begin`] on.
    pub(crate) fn new(account: A, name: &'static str, file: &Arc<File>) -> io::Result<Self> {
        lock(&file.content).insert(name.to_owned(), serde_json::to_value(&account)?);
        Ok(Self { account: Mutex::new(account), name, file: Arc::clone(file) })
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&A) -> T) -> T {
        look(&lock(&self.account))
    }

    /// Changes the account and keeps it; what is refused must have changed nothing.
    pub(crate) fn change<T, E>(&self, change: impl FnOnce(&mut A) -> Result<T, E>) -> Result<T, E> {
        let mut account = lock(&self.account);
        let done = change(&mut account)?;
        if let Err(error) = self.file.keep(self.name, &*account) {
            tracing::warn!(%error, path = ?self.file.path, "can't keep the account");
        }
        Ok(done)
    }
}
