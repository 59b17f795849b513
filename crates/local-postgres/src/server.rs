//! One server: its start, the wait until it takes connections, its end.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Error, account::Account, binaries::Binaries, lock::ServerLock};

/// The port is part of the socket's name; each server has a folder of its own.
pub(crate) const PORT: u16 = 5432;

/// What the address of a unix socket can hold on macOS (Linux: 107), less `/.s.PGSQL.5432`.
const LONGEST_SOCKET_FOLDER: usize = 103 - 14;

/// Making a database takes seconds, its repair after a crash can take longer.
const STARTING: Duration = Duration::from_mins(2);

/// What becomes of the data.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Kept,
    Throwaway,
}

/// A running server, and with it the process that watches over it.
#[derive(Debug)]
pub(crate) struct Server {
    directory: PathBuf,
    sockets: PathBuf,
    /// Its standard input is what tells it that we live.
    watchdog: Child,
}

impl Server {
    /// Starts the server in `directory`, and makes its database where there is none yet.
    pub(crate) fn start(
        kind: Kind,
        directory: &Path,
        lock: ServerLock,
        account: &Account,
        binaries: &Binaries,
    ) -> Result<Self, Error> {
        // We have the lock, so this is a dead server's. Postgres would refuse where its number is another's by now.
        let _ = fs::remove_file(pid_file(directory));
        let temporary = if fits_a_socket(directory) {
            None
        } else {
            let folder = Account::temporary_folder(Path::new("/tmp"))?;
            account.hand_over(folder.path())?;
            Some(folder)
        };
        let sockets = temporary.as_ref().map_or(directory, TempDir::path).to_owned();

        let watchdog = account
            .command("/bin/sh")
            .args(["-c", include_str!("watchdog.sh"), "watchdog"])
            .args(matches!(kind, Kind::Throwaway).then_some(directory))
            .args(temporary.as_ref().map(TempDir::path))
            .current_dir(directory)
            .env("KIND", if matches!(kind, Kind::Kept) { "kept" } else { "throwaway" })
            .env("INITDB", &binaries.initdb)
            .env("POSTGRES", &binaries.postgres)
            .env("DATA", data(directory))
            .env("SOCKETS", &sockets)
            .env("PORT", PORT.to_string())
            .stdin(Stdio::piped())
            .stdout(lock.held)
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to our group: the server is still needed while we drain.
            .process_group(0)
            .spawn()
            .map_err(Error::at(directory))?;
        // From here on the watchdog deletes it.
        let _ = temporary.map(TempDir::keep);
        let server = Self { directory: directory.to_owned(), sockets, watchdog };
        server.wait_until_ready(&lock.probe)?;
        Ok(server)
    }

    fn wait_until_ready(&self, lock: &File) -> Result<(), Error> {
        let deadline = Instant::now() + STARTING;
        while !is_ready(&self.directory) {
            if lock.try_lock().is_ok() || Instant::now() > deadline {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                let log = log.trim().to_owned();
                return Err(Error::Start { directory: self.directory.clone(), log });
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Waiting for the watchdog closes its standard input first.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        let status = self.watchdog.wait().map_err(Error::at(&self.directory))?;
        if status.success() { Ok(()) } else { Err(Error::Ended(status)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

fn data(directory: &Path) -> PathBuf {
    directory.join("data")
}

fn pid_file(directory: &Path) -> PathBuf {
    data(directory).join("postmaster.pid")
}

/// Postgres writes its state into the eighth line; its socket is there long before it takes connections.
fn is_ready(directory: &Path) -> bool {
    fs::read_to_string(pid_file(directory))
        .is_ok_and(|file| file.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}

/// Postgres takes a list of socket folders, so that none may have a comma.
fn fits_a_socket(directory: &Path) -> bool {
    let path = directory.as_os_str().as_encoded_bytes();
    path.len() <= LONGEST_SOCKET_FOLDER && !path.contains(&b',')
}
