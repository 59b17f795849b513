//! What `cargo run` brings so that nothing has to be set up: a private Postgres, a secret, a stand-in for the vendors.
//!
//! Each is brought only where its setting is missing and a job that is on needs it, and the banner says so. What it keeps
//! for the next run stands under the package's name; `DEV_NAME=other cargo run` starts afresh. The production image is
//! built without this module (cargo feature `dev`).

mod banner;
pub mod settings;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::{SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    pin::Pin,
    time::Instant,
};

use anyhow::Context;
use local_postgres::LocalPostgres;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    config::{Config, Source, new_secret},
    package::Package,
};

/// Where the stand-in listens when it can: the same address at every run, since receipts name it.
const STAND_IN_ADDRESS: &str = "127.0.0.1:8090";

/// The file that keeps the webhook's secret.
const TOKEN_FILE: &str = "webhook-token";

/// The file that says where the private Postgres is while it runs.
const DATABASE_FILE: &str = "database-url";

/// Vendors that a stand-in can play.
pub struct Vendors {
    /// Starts it at this address; it keeps what it is told in this file.
    pub start: fn(SocketAddr, PathBuf) -> Boxed<anyhow::Result<StandIn>>,
    /// What it can play.
    pub played: &'static [Played],
    /// Custom fields of the first call that name what the stand-in has.
    pub fields: &'static [(&'static str, &'static str)],
}

/// A stand-in at work.
pub struct StandIn {
    /// Its origin.
    pub url: String,
    /// Stops it.
    pub stop: Box<dyn FnOnce() -> Boxed<()> + Send>,
}

/// A future without its type.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A vendor that the stand-in plays where none of its settings is set.
pub struct Played {
    /// Its name in the banner.
    pub name: &'static str,
    /// What the stand-in lists of it.
    pub listing: &'static str,
    /// The job that needs it.
    pub job: &'static str,
    /// The settings that end it.
    pub unless: &'static [&'static str],
    /// The settings for a stand-in at this origin, by their variables.
    pub settings: fn(&str) -> Vec<(&'static str, String)>,
}

/// What was brought.
pub struct Dev {
    begun: Instant,
    postgres: Option<LocalPostgres>,
    secret: Option<PathBuf>,
    console: Option<PathBuf>,
    stand_in: Option<StandIn>,
    vendors: Option<&'static Vendors>,
    /// Those that it plays.
    played: Vec<&'static Played>,
}

/// Brings what is not configured.
///
/// # Errors
///
/// No Postgres can be had, or a file of ours can't be written.
pub async fn complete(
    mut source: Source,
    vendors: Option<&'static Vendors>,
) -> anyhow::Result<(Source, Dev)> {
    let config = source.config()?;
    let mut dev = Dev {
        begun: Instant::now(),
        postgres: None,
        secret: None,
        console: None,
        stand_in: None,
        vendors,
        played: Vec::new(),
    };
    let name = name();
    let directory = local_postgres::data_directory(&name)?;

    if config.database_url.is_none() {
        println!("\n  Starting a private Postgres; the first time takes a few seconds …");
        let postgres = tokio::task::spawn_blocking(move || LocalPostgres::start_kept(&name)).await??;
        let url = postgres.url("postgres");
        write_secret(&directory.join(DATABASE_FILE), &url)?;
        source.set("DATABASE_URL", url);
        dev.postgres = Some(postgres);
    }
    let webhook = &config.webhook;
    if webhook.token.is_none() && webhook.basic_user.is_none() && !webhook.allow_unauthenticated {
        let file = directory.join(TOKEN_FILE);
        source.set("WEBHOOK_TOKEN", kept_secret(&file)?);
        dev.secret = Some(file);
    }
    if cfg!(feature = "console") && config.console_password.is_none() {
        let file = directory.join("console-password");
        source.set("CONSOLE_PASSWORD", kept_secret(&file)?);
        dev.console = Some(file);
    }
    if let Some(vendors) = vendors {
        dev.play(vendors, &mut source, &config, directory.join("stand-in.json")).await?;
    }
    source.set("LISTEN_ADDR", free(config.listen_addr).to_string());
    source.set("ADMIN_ADDR", free(config.admin_addr).to_string());
    Ok((source, dev))
}

fn name() -> String {
    env::var("DEV_NAME").unwrap_or_else(|_| Package::of_this_process().name.to_owned())
}

/// The webhook's secret that a run on this machine has made for itself, where one has.
#[must_use]
pub fn kept_token() -> Option<SecretString> {
    kept(TOKEN_FILE)
}

/// The URL of the private Postgres of the run that is going on on this machine, where one is.
#[must_use]
pub fn kept_database() -> Option<SecretString> {
    kept(DATABASE_FILE)
}

fn kept(file: &str) -> Option<SecretString> {
    let file = local_postgres::data_directory(&name()).ok()?.join(file);
    let secret = fs::read_to_string(file).ok()?;
    Some(secret.trim().into())
}

/// The address, or a free one beside it: the usual port is often taken on a developer's machine.
fn free(address: SocketAddr) -> SocketAddr {
    match TcpListener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => SocketAddr::new(address.ip(), 0),
        _ => address,
    }
}

/// The secret of the last run, or a new one of 256 bits that only we can read.
fn kept_secret(file: &Path) -> anyhow::Result<String> {
    read_or_make(file).with_context(|| format!("{} is of no use", file.display()))
}

fn read_or_make(file: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(file) {
        Ok(secret) if !secret.trim().is_empty() => Ok(secret.trim().to_owned()),
        Ok(_) => anyhow::bail!("it is empty: delete it"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = new_secret()?.expose_secret().to_owned();
            write_secret(file, &secret)?;
            Ok(secret)
        }
        Err(error) => Err(error.into()),
    }
}

/// Into a file that only we can read.
fn write_secret(file: &Path, secret: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    writeln!(file, "{secret}")
}

impl Dev {
    /// Has a stand-in play the vendors that a job needs and nobody configured.
    async fn play(
        &mut self,
        vendors: &'static Vendors,
        source: &mut Source,
        config: &Config,
        keep: PathBuf,
    ) -> anyhow::Result<()> {
        let needed = |played: &&Played| {
            let is_on = config.jobs.enabled.0.iter().any(|on| on == played.job);
            is_on && !played.unless.iter().any(|name| source.is_set(name))
        };
        self.played = vendors.played.iter().filter(needed).collect();
        if self.played.is_empty() {
            return Ok(());
        }
        let started = (vendors.start)(free(STAND_IN_ADDRESS.parse()?), keep).await;
        let stand_in = started.context("the stand-in did not start")?;
        for played in &self.played {
            for (name, value) in (played.settings)(&stand_in.url) {
                source.set(name, value);
            }
        }
        self.stand_in = Some(stand_in);
        Ok(())
    }

    /// Stops what was brought.
    ///
    /// # Errors
    ///
    /// The private Postgres did not stop.
    pub async fn stop(self) -> anyhow::Result<()> {
        if let Some(stand_in) = self.stand_in {
            (stand_in.stop)().await;
        }
        if let Some(postgres) = self.postgres {
            // Where it is gone already, nobody is misled by it.
            let _gone =
                local_postgres::data_directory(&name()).map(|kept| fs::remove_file(kept.join(DATABASE_FILE)));
            tokio::task::spawn_blocking(|| postgres.stop()).await??;
        }
        Ok(())
    }
}
