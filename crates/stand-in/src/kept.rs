//! The vendors' accounts, and the file in which they outlive a restart.
//!
//! The file is HubSpot's account as JSON, with the other vendor's under its name: so one that was written
//! when HubSpot was all there was is read as well.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::lock;

/// Whose account it is.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    HubSpot,
    Zendesk,
}

/// The name of the one part that has one.
const ZENDESK: &str = "zendesk";

/// The file, or none: then nothing is read from it or written to it.
pub(crate) struct File {
    path: Option<PathBuf>,
    /// What is in it; none before the first account is written to a new file.
    content: Mutex<Option<Map<String, Value>>>,
}

impl File {
    pub(crate) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let content = path.as_deref().map(read).transpose()?.flatten();
        Ok(Self { path, content: Mutex::new(content) })
    }

    /// The account in the file, if there is one.
    pub(crate) fn account<A: DeserializeOwned>(&self, part: Part) -> io::Result<Option<A>> {
        let content = lock(&self.content).clone();
        let json = match part {
            Part::HubSpot => content.map(Value::Object),
            Part::Zendesk => content.and_then(|mut content| content.remove(ZENDESK)),
        };
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        json.map(serde_json::from_value).transpose().map_err(|error| invalid(path, &error))
    }

    /// Written beside the file and renamed over it: who reads it sees the old or the new one.
    fn write(&self, part: Part, account: &impl Serialize) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let account = serde_json::to_value(account)?;
        // Held to the end, so that older content never replaces newer.
        let mut content = lock(&self.content);
        let old = content.take().unwrap_or_default();
        let new = content.insert(join(old, part, account));

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
        options.open(&beside)?.write_all(&serde_json::to_vec_pretty(new)?)?;
        fs::rename(beside, path)
    }
}

fn join(mut old: Map<String, Value>, part: Part, account: Value) -> Map<String, Value> {
    match (part, account) {
        (Part::HubSpot, Value::Object(mut account)) => {
            account.extend(old.remove_entry(ZENDESK));
            account
        }
        (_, account) => {
            old.insert(ZENDESK.into(), account);
            old
        }
    }
}

fn read(path: &Path) -> io::Result<Option<Map<String, Value>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| invalid(path, &error)),
    }
}

fn invalid(path: &Path, error: &serde_json::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
}

/// A vendor's account, as its API and the tests see it.
pub(crate) struct Kept<A> {
    account: Mutex<A>,
    part: Part,
    file: Arc<File>,
}

impl<A: Serialize> Kept<A> {
    pub(crate) fn new(account: A, part: Part, file: Arc<File>) -> Self {
        Self { account: Mutex::new(account), part, file }
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&A) -> T) -> T {
        look(&lock(&self.account))
    }

    /// Changes the account and keeps it; what is refused must have changed nothing.
    pub(crate) fn change<T, E>(&self, change: impl FnOnce(&mut A) -> Result<T, E>) -> Result<T, E> {
        let mut account = lock(&self.account);
        let done = change(&mut account)?;
        if let Err(error) = self.file.write(self.part, &*account) {
            tracing::warn!(%error, path = ?self.file.path, "can't keep the account");
        }
        Ok(done)
    }

    /// Keeps the account as it is.
    pub(crate) fn keep(&self) -> io::Result<()> {
        self.file.write(self.part, &*lock(&self.account))
    }
}
