//! `send`: a call to a receiver, as the platform would send it, or all those of a file.

mod batch;
mod event;
mod follow;
mod hint;
mod sender;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Instant,
};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use reqwest::Url;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::values::database;
use crate::{
    config::Config,
    db,
    platform::Platform,
    telemetry::{Safe, millis},
};
use event::{Content, EventArgs};
use sender::{Answered, Sender};

/// The call to send, and where to.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// Where to [default: `WEBHOOK_PATH` at `LISTEN_ADDR`].
    #[arg(long)]
    url: Option<Url>,

    /// Wait for the call's jobs and show what each made, for so many seconds at the most; it fails where one of them does. It
    /// asks the receiver's database (`DATABASE_URL`); beside a `cargo run` on the same machine there is nothing to set.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60")]
    follow: Option<u64>,

    /// What it says.
    #[command(flatten)]
    event: EventArgs,
}

/// Sends the call with the configured credential, signed where there is a key, and prints what was answered.
///
/// # Errors
///
/// Anything but a 200, with what to do about it.
pub async fn run(args: SendArgs, config: Config, platform: &Platform) -> anyhow::Result<()> {
    let url = args.url.map_or_else(|| own(&config), Ok)?;
    let config = with_kept_token(config, &url);
    let token = config.webhook.token.as_ref().map(|token| token.expose_secret().to_owned());
    let content = args.event.content(platform, token)?;
    let sender = Sender::new(url.clone(), config.webhook.clone());
    let body = match content {
        Content::One(body) => body,
        Content::Many(calls) => {
            ensure!(args.follow.is_none(), "--follow follows one call, and the file holds more");
            return batch::send(sender, calls).await;
        }
    };
    let about: About = serde_json::from_slice(&body).unwrap_or_default();
    let mut shown = url;
    // Both fail on a URL without a host alone, which holds neither.
    let _no_host = (shown.set_username(""), shown.set_password(None));
    println!("--> {}  {shown}", Safe(&words([about.event.or(Some("no event".into())), about.event_id])));

    // Before anything is sent: who can't be followed need not begin.
    let database =
        args.follow.map(|limit| anyhow::Ok((db::reader_pool(&database(&config)?)?, limit))).transpose()?;
    let begun = Instant::now();
    let Answered { status, said } = sender.send(body).await.map_err(|error| {
        let error = error.to_string();
        anyhow!("{} → {}", Safe(&error), hint::unreachable(&error))
    })?;
    let event_id = said.event_id.clone();
    println!(
        "<-- {status} {} ({} ms)",
        Safe(&words([said.error.or(said.status), said.event_id])),
        millis(begun)
    );
    ensure!(status == 200, hint::refused(status));
    match database.zip(event_id) {
        Some(((pool, limit), event_id)) => follow::jobs(&pool, &event_id, begun, limit).await,
        None => Ok(()),
    }
}

fn words(parts: [Option<String>; 2]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What the first line says of the event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct About {
    event: Option<String>,
    event_id: Option<String>,
}

/// The receiver of this configuration, on this machine.
fn own(config: &Config) -> anyhow::Result<Url> {
    let mut address = config.listen_addr;
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Url::parse(&format!("http://{address}{}", config.webhook.path)).context("WEBHOOK_PATH is no path")
}

/// With the secret that `cargo run` made, where none is configured; it is shown to nobody but this machine.
#[cfg(feature = "dev")]
fn with_kept_token(mut config: Config, url: &Url) -> Config {
    let here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let webhook = &mut config.webhook;
    if here && webhook.token.is_none() && webhook.basic_user.is_none() {
        webhook.token = crate::dev::kept_token();
    }
    config
}

#[cfg(not(feature = "dev"))]
fn with_kept_token(config: Config, _: &Url) -> Config {
    config
}
