//! Which user runs the server, and where that user's data stand.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{Uid, User};
use tempfile::TempDir;

use crate::Error;

/// The user that the server runs as: root's stand-in, or none for "whoever we are".
#[derive(Debug)]
pub(crate) struct Account(Option<User>);

impl Account {
    /// Root hands its server to `postgres`, else to `nobody`, because Postgres refuses to run as root.
    pub(crate) fn of_the_server() -> Result<Self, Error> {
        if !Uid::effective().is_root() {
            return Ok(Self(None));
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self(Some(user)))
            .ok_or(Error::NoAccount)
    }

    /// A command that runs as this user, and speaks the language that we read.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // The folder we are in may be closed to the server's user.
        command.env("LC_ALL", "C").current_dir("/");
        if let Some(user) = &self.0 {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Where data that are kept have their folders.
    pub(crate) fn data_home(&self) -> Result<PathBuf, Error> {
        if self.0.is_some() {
            return Ok(PathBuf::from("/var/lib"));
        }
        env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| Some(env::home_dir()?.join(".local/share")))
            .filter(|folder| folder.is_absolute())
            .ok_or(Error::NoHome)
    }

    /// Where temporary folders are made. Root's own TMPDIR may be closed to the server's user, `/tmp` never is.
    pub(crate) fn temp_home(&self) -> PathBuf {
        if self.0.is_some() { PathBuf::from("/tmp") } else { env::temp_dir() }
    }

    /// Makes a folder of ours that the server's user can pass through, whatever the umask.
    pub(crate) fn create_passable(folder: &Path) -> Result<(), Error> {
        if !folder.exists() {
            fs::create_dir_all(folder).map_err(Error::at(folder))?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(Error::at(folder))?;
        }
        Ok(())
    }

    /// A new temporary folder that is still ours.
    pub(crate) fn temporary_folder(home: &Path) -> Result<TempDir, Error> {
        tempfile::Builder::new().prefix("local-postgres-").tempdir_in(home).map_err(Error::at(home))
    }

    /// Makes the folder where a server stands.
    pub(crate) fn create(&self, folder: &Path) -> Result<(), Error> {
        fs::create_dir_all(folder).map_err(Error::at(folder))?;
        self.hand_over(folder)
    }

    /// Gives a folder to the server's user alone.
    pub(crate) fn hand_over(&self, folder: &Path) -> Result<(), Error> {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(Error::at(folder))?;
        let Some(user) = &self.0 else { return Ok(()) };
        chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(Error::at(folder))
    }
}
