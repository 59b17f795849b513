//! What `cargo run` brings so that nothing has to be set up: a private Postgres, a secret, a stand-in for the vendors.
//!
//! Each is brought only where its setting is missing and a job that is on needs it, and the banner says so. What it keeps
//! for the next run stands under the package's name; `DEV_NAME=other cargo run` starts afresh. The production image is
//! built without this module (cargo feature `dev`).

mod banner;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::{SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;
use local_postgres::LocalPostgres;
use secrecy::{ExposeSecret, SecretString};
use stand_in::StandIn;

use crate::{
    clients,
    config::{Config, new_secret},
};

/// The vendors that a stand-in can play; each says in its client's folder what that takes.
const VENDORS: &[Played] = &[clients::hubspot::stand_in::PLAYED, clients::zendesk::stand_in::PLAYED];

/// Where the stand-in listens when it can: the same address at every run, since receipts name it.
const STAND_IN_ADDRESS: &str = "127.0.0.1:8090";

/// The contact property that the stand-in's contacts have, and a value of it.
pub(crate) const CONTACT: (&str, &str) = ("acme_id", "ACME-4451");

/// A ticket for the first call.
const TICKET: &str = "35436";

/// The file that keeps the webhook's secret.
const TOKEN_FILE: &str = "webhook-token";

/// What was brought.
pub struct Dev {
    begun: Instant,
    postgres: Option<LocalPostgres>,
    secret: Option<PathBuf>,
    console: Option<PathBuf>,
    stand_in: Option<StandIn>,
    /// The vendors that it plays.
    played: Vec<&'static Played>,
}

/// A vendor that the stand-in plays where it is not configured.
pub struct Played {
    /// Its name in the banner.
    pub name: &'static str,
    /// What the stand-in lists of it.
    pub listing: &'static str,
    /// Which settings end it.
    pub own: &'static str,
    /// Whether a job needs it and it is not configured.
    pub wanted: fn(&Config) -> bool,
    /// Points its settings at the stand-in.
    pub configure: fn(&mut Config, &StandIn) -> anyhow::Result<()>,
}

/// Whether this job is on.
pub(crate) fn needed(config: &Config, job: &str) -> bool {
    config.jobs.enabled.0.iter().any(|on| on == job)
}

/// Brings what is not configured.
///
/// # Errors
///
/// No Postgres can be had, or a file of ours can't be written.
pub async fn complete(mut config: Config) -> anyhow::Result<(Config, Dev)> {
    let mut dev = Dev {
        begun: Instant::now(),
        postgres: None,
        secret: None,
        console: None,
        stand_in: None,
        played: Vec::new(),
    };
    let name = name();
    let directory = local_postgres::data_directory(&name)?;

    if config.database_url.is_none() {
        println!("\n  Starting a private Postgres; the first time takes a few seconds …");
        let postgres = tokio::task::spawn_blocking(move || LocalPostgres::start_kept(&name)).await??;
        config.database_url = Some(postgres.url("postgres").into());
        dev.postgres = Some(postgres);
    }
    let webhook = &mut config.webhook;
    if webhook.token.is_none() && webhook.basic_user.is_none() && !webhook.allow_unauthenticated {
        let file = directory.join(TOKEN_FILE);
        webhook.token = Some(kept_secret(&file)?);
        dev.secret = Some(file);
    }
    if cfg!(feature = "console") && config.console_password.is_none() {
        let file = directory.join("console-password");
        config.console_password = Some(kept_secret(&file)?);
        dev.console = Some(file);
    }
    let played: Vec<_> = VENDORS.iter().filter(|vendor| (vendor.wanted)(&config)).collect();
    if !played.is_empty() {
        let stand_in =
            start_stand_in(&directory.join("stand-in.json")).await.context("the stand-in did not start")?;
        for vendor in &played {
            (vendor.configure)(&mut config, &stand_in)?;
        }
        dev.stand_in = Some(stand_in);
        dev.played = played;
    }
    config.listen_addr = free(config.listen_addr);
    config.admin_addr = free(config.admin_addr);
    Ok((config, dev))
}

fn name() -> String {
    env::var("DEV_NAME").unwrap_or_else(|_| env!("CARGO_PKG_NAME").to_owned())
}

/// The webhook's secret that a run on this machine has made for itself, where one has.
#[must_use]
pub fn kept_token() -> Option<SecretString> {
    let file = local_postgres::data_directory(&name()).ok()?.join(TOKEN_FILE);
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
fn kept_secret(file: &Path) -> anyhow::Result<SecretString> {
    read_or_make(file).with_context(|| format!("{} is of no use", file.display()))
}

fn read_or_make(file: &Path) -> anyhow::Result<SecretString> {
    match fs::read_to_string(file) {
        Ok(secret) if !secret.trim().is_empty() => Ok(secret.trim().into()),
        Ok(_) => anyhow::bail!("it is empty: delete it"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = new_secret()?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
            writeln!(file, "{}", secret.expose_secret())?;
            Ok(secret)
        }
        Err(error) => Err(error.into()),
    }
}

async fn start_stand_in(keep: &Path) -> anyhow::Result<StandIn> {
    let listen = free(STAND_IN_ADDRESS.parse()?);
    Ok(StandIn::start(stand_in::Options { listen, keep: Some(keep.to_owned()), ..Default::default() })
        .await?)
}

impl Dev {
    /// Stops what was brought.
    ///
    /// # Errors
    ///
    /// The private Postgres did not stop.
    pub async fn stop(self) -> anyhow::Result<()> {
        if let Some(stand_in) = self.stand_in {
            stand_in.stop().await;
        }
        if let Some(postgres) = self.postgres {
            tokio::task::spawn_blocking(|| postgres.stop()).await??;
        }
        Ok(())
    }
}
