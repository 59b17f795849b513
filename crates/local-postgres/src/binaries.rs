//! Finds the programs of an installed Postgres, the newest that can do what is needed.

use std::{
    cmp::Reverse,
    env,
    path::{Path, PathBuf},
};

use crate::{Error, account::Account};

/// Names the one folder to look in, instead of all the others.
const OVERRIDE: &str = "LOCAL_POSTGRES_BIN";

/// Where packages put the programs that they keep out of PATH: Debian, Red Hat, Alpine, Homebrew, Postgres.app.
const INSTALLS: [&str; 7] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The extensions that the job queue's tables are made with. Some distributions package them apart.
const EXTENSIONS: [&str; 2] = ["hstore", "pgcrypto"];

/// The programs that make and run a server.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) initdb: PathBuf,
    pub(crate) postgres: PathBuf,
    pub(crate) major: String,
}

impl Binaries {
    /// Takes the first usable install, else downloads one.
    pub(crate) fn find(account: &Account) -> Result<Self, Error> {
        let mut passed_over = Vec::new();
        for folder in folders().iter().filter(|folder| folder.join("initdb").exists()) {
            match Self::inspect(folder, account) {
                Ok(binaries) => return Ok(binaries),
                Err(reason) => passed_over.push(format!("{}: {reason}", folder.display())),
            }
        }
        #[cfg(feature = "download")]
        match crate::download::fetch(account).and_then(|folder| Ok(Self::inspect(&folder, account)?)) {
            Ok(binaries) => return Ok(binaries),
            Err(reason) => passed_over.push(format!("nothing downloaded: {reason}")),
        }
        let passed_over =
            if passed_over.is_empty() { String::new() } else { format!(" ({})", passed_over.join("; ")) };
        Err(Error::NotFound { passed_over })
    }

    /// Asks `initdb` itself where its files are: it is there on every system that can make a server, `pg_config` isn't.
    fn inspect(folder: &Path, account: &Account) -> Result<Self, String> {
        // PATH may hold a link to initdb with none to postgres beside it.
        let initdb = folder.join("initdb").canonicalize().map_err(|error| error.to_string())?;
        let postgres = initdb.with_file_name("postgres");
        let output = account
            .command(&initdb)
            .args(["--show", "-D", "unused"])
            .output()
            .map_err(|error| error.to_string())?;
        let shown = String::from_utf8_lossy(&output.stderr);
        let value = |key: &str| shown.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let (Some(version), Some(share), true) =
            (value("VERSION"), value("share_path"), output.status.success())
        else {
            return Err(shown.lines().next().unwrap_or("initdb said nothing").to_owned());
        };
        let control = |name: &str| Path::new(share).join(format!("extension/{name}.control"));
        if let Some(name) = EXTENSIONS.into_iter().find(|name| !control(name).exists()) {
            return Err(format!("without the extension {name} (in the package postgresql-contrib)"));
        }
        let major = version.chars().take_while(char::is_ascii_digit).collect();
        Ok(Self { initdb, postgres, major })
    }
}

/// What is to be looked at, the best first: the choice of whoever set PATH, then newest first.
fn folders() -> Vec<PathBuf> {
    if let Some(folder) = env::var_os(OVERRIDE) {
        return vec![folder.into()];
    }
    let mut installs: Vec<PathBuf> =
        INSTALLS.iter().filter_map(|pattern| glob::glob(pattern).ok()).flatten().flatten().collect();
    installs.sort_by_key(|folder| Reverse(version_in(folder)));
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(installs).collect()
}

/// The numbers in a path, for sorting: 9.6 comes before 15.
fn version_in(folder: &Path) -> Vec<u32> {
    let path = folder.to_string_lossy();
    path.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_looked_at_first() {
        let mut folders = ["/usr/lib/postgresql/9.6/bin", "/usr/lib/postgresql/15/bin", "/usr/pgsql-17/bin"];
        folders.sort_by_key(|folder| Reverse(version_in(Path::new(folder))));
        assert_eq!(
            folders,
            ["/usr/pgsql-17/bin", "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/9.6/bin"]
        );
    }
}
