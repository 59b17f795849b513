//! What can go wrong, each with what to do about it.

use std::{io, path::PathBuf, process::ExitStatus};

/// Why there is no server; the message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing to run is installed, and nothing could be downloaded.
    #[error(
        "no PostgreSQL with hstore and pgcrypto found{passed_over}: `apt-get install postgresql`, \
         `brew install postgresql`, set DATABASE_URL, or use `docker compose up`"
    )]
    NotFound {
        /// What was looked at and why it was not taken, in brackets.
        passed_over: String,
    },

    /// Another process has this server.
    #[error(
        "{} is in use: the first one is still running{}. Stop it, or set DATABASE_URL for this one",
        directory.display(),
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The server's folder.
        directory: PathBuf,
        /// The process that has it, where it could be read.
        pid: Option<u32>,
    },

    /// The process that had this server is gone, but its server did not end in time.
    #[error("the previous server in {} does not end: see its log there, then kill it", .0.display())]
    StillStopping(PathBuf),

    /// Postgres refuses to run as root, and no other user can be found to run it.
    #[error(
        "Postgres does not run as root, and there is no user `postgres` or `nobody`: run this as an ordinary user"
    )]
    NoAccount,

    /// There is no folder for data that are kept.
    #[error("no place for the data: set HOME or XDG_DATA_HOME, or use another database by DATABASE_URL")]
    NoHome,

    /// A folder or a file could not be used.
    #[error("{}: {source}. Make it usable, or use another database by DATABASE_URL", path.display())]
    Folder {
        /// What could not be used.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },

    /// The server did not start.
    #[error("Postgres did not start in {}. Its log says:\n{log}", directory.display())]
    Start {
        /// The server's folder.
        directory: PathBuf,
        /// What it wrote, to its end.
        log: String,
    },

    /// The server had crashed before it was stopped, or did not end well.
    #[error("Postgres did not end well ({0}); kept data are repaired at the next start")]
    Ended(ExitStatus),
}

impl Error {
    /// Makes an I/O error one that names its file.
    pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Folder { path, source }
    }
}
