//! A Postgres server that belongs to one process: with it `cargo run` and `cargo test` need nothing set up.
//!
//! [`LocalPostgres::start_kept`] is for `cargo run`, [`LocalPostgres::start_throwaway`] for a test run. Both listen on
//! a unix socket alone, trust whoever reaches it, and end with the process that started them, kill -9 included.
//! Production brings its own database and does without this crate.
//!
//! The modules in the order in which a start meets them:
//!
//! 1. `account`: which user runs the server, and where data stands. Postgres refuses root.
//! 2. `binaries`: an installed Postgres, else (`download`) one from the network. `LOCAL_POSTGRES_BIN` names another folder
//!    to look in.
//! 3. `lock`: one process at a time, and no new server before the previous one is gone.
//! 4. `server`: start, wait until it takes connections, stop.
//! 5. `watchdog.sh`: the shell process that runs the server for as long as its owner lives.

mod account;
mod binaries;
#[cfg(feature = "download")]
mod download;
mod error;
mod lock;
mod server;

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};

use crate::{account::Account, binaries::Binaries, server::Server};
pub use error::Error;

/// What a path keeps as it is inside a URL, so that people can still read it.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A Postgres server that belongs to this process.
///
/// It ends with [`stop`](Self::stop), when this is dropped, or when the process is gone. The functions block: call
/// them from async code by way of `spawn_blocking`.
#[derive(Debug)]
pub struct LocalPostgres {
    server: Server,
    // Below `server`: fields are dropped in this order, and the next process may come only after the server ended.
    _owner: Option<lock::Owner>,
}

impl LocalPostgres {
    /// Starts the server whose data outlive the process.
    ///
    /// They stand in `postgres-<major version>` below `/var/lib/<name>` for root, and below `<name>` in the XDG data
    /// folder (`~/.local/share`) for everyone else. When the previous process has only just been killed, its server's
    /// end is waited for.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] while another process has it; the others say what to do before the next try.
    pub fn start_kept(name: &str) -> Result<Self, Error> {
        let account = Account::of_the_server()?;
        let binaries = Binaries::find(&account)?;
        let directory = data_directory(name)?.join(format!("postgres-{}", binaries.major));
        let owner = lock::Owner::lock(&directory)?;
        account.create(&directory)?;
        let lock = lock::ServerLock::after_the_previous(&directory, &account)?;
        let server = Server::start(server::Kind::Kept, &directory, lock, &account, &binaries)?;
        Ok(Self { server, _owner: Some(owner) })
    }

    /// Starts an empty server for one test run.
    ///
    /// It stands in the folder for temporary files, gives up durability for speed, takes 400 connections, and is
    /// deleted at the end. Any number can run side by side.
    ///
    /// # Errors
    ///
    /// Each [`Error`] but [`Error::InUse`] and [`Error::StillStopping`].
    pub fn start_throwaway() -> Result<Self, Error> {
        let account = Account::of_the_server()?;
        let binaries = Binaries::find(&account)?;
        let folder = Account::temporary_folder(&account.temp_home())?;
        let lock = lock::ServerLock::of_a_new_server(folder.path())?;
        account.hand_over(folder.path())?;
        let server = Server::start(server::Kind::Throwaway, folder.path(), lock, &account, &binaries)?;
        // From here on the watchdog deletes it: it does so after kill -9, too.
        let _ = folder.keep();
        Ok(Self { server, _owner: None })
    }

    /// The URL of one database, for sqlx and for everything that is built on libpq (`psql "<url>"`).
    ///
    /// The database `postgres` is always there. Others come by `create database`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let database = utf8_percent_encode(database, ESCAPED);
        let host = percent_encode(self.server.sockets().as_os_str().as_encoded_bytes(), ESCAPED);
        format!("postgres://postgres@localhost/{database}?host={host}&port={}", server::PORT)
    }

    /// Where the server's data and its log (`log`) stand.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.server.directory()
    }

    /// Stops the server, cutting its connections, and waits for its end.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] when the server had crashed, or did not end well.
    pub fn stop(mut self) -> Result<(), Error> {
        self.server.stop()
    }
}

/// The folder that holds the server of [`LocalPostgres::start_kept`], and a place for what else belongs to its data.
///
/// It is made where it is missing.
///
/// # Errors
///
/// There is no place for data that are kept, or it can't be used.
pub fn data_directory(name: &str) -> Result<PathBuf, Error> {
    let home = Account::of_the_server()?.data_home()?.join(name);
    Account::create_passable(&home)?;
    Ok(home)
}
