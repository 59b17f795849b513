//! The two locks beside a server's folder: one process owns it, and no server starts before the previous one is gone.
//!
//! Both are released by the system when the last process that has the file open is gone, however it went. They stand
//! beside the folder because the folder is the server's user's, who could make root write through a link in it.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{Error, account::Account};

/// How long a process that has just been killed may take to be gone.
const DYING: Duration = Duration::from_secs(1);

/// How long the previous server has for its end before it is told to end by us: its watchdog may have been killed.
const ENDING: Duration = Duration::from_secs(3);

/// When waiting for the previous server is given up.
const GIVING_UP: Duration = Duration::from_mins(1);

const PAUSE: Duration = Duration::from_millis(10);

/// Held by the process that started the server, and by no other.
#[derive(Debug)]
pub(crate) struct Owner {
    _file: File,
}

impl Owner {
    pub(crate) fn lock(directory: &Path) -> Result<Self, Error> {
        let path = directory.with_extension("owner");
        let mut file = open(&path)?;
        if !locked_within(&file, DYING) {
            let pid = fs::read_to_string(&path).ok().and_then(|pid| pid.trim().parse().ok());
            return Err(Error::InUse { directory: directory.to_owned(), pid });
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", process::id())).map_err(Error::at(path))?;
        Ok(Self { _file: file })
    }
}

/// Held by every process of the server, from before the first to after the last.
#[derive(Debug)]
pub(crate) struct ServerLock {
    /// What the server inherits.
    pub(crate) held: File,
    /// The same file opened once more, to see by it whether the lock is still held.
    pub(crate) probe: File,
}

impl ServerLock {
    /// The lock of a server that nothing else knows of.
    pub(crate) fn of_a_new_server(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("server");
        let (held, probe) = (open(&path)?, open(&path)?);
        held.lock().map_err(Error::at(path))?;
        Ok(Self { held, probe })
    }

    /// Waits for the previous server's end. Its owner is gone, so that it is ending, or should be.
    pub(crate) fn after_the_previous(directory: &Path, account: &Account) -> Result<Self, Error> {
        let path = directory.with_extension("server");
        let (held, probe) = (open(&path)?, open(&path)?);
        if !locked_within(&held, ENDING) {
            // By its user's hand, not by root's: the number in the file is that user's word.
            let tell = "kill -s INT \"$(head -n 1 data/postmaster.pid)\"";
            let _ = account.command("/bin/sh").args(["-c", tell]).current_dir(directory).output();
            if !locked_within(&held, GIVING_UP) {
                return Err(Error::StillStopping(directory.to_owned()));
            }
        }
        Ok(Self { held, probe })
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(Error::at(path))
}

fn locked_within(file: &File, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while file.try_lock().is_err() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(PAUSE);
    }
    true
}
