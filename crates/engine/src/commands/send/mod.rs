//! `send`: one call to a receiver, as the platform would send it.

mod event;
mod hint;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder, Url, header::CONTENT_TYPE};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::Sha256;

use crate::{
    config::{Config, SignaturePolicy, WebhookConfig},
    platform::Platform,
    telemetry::{Safe, millis},
    vendor::Vendor,
};
use event::EventArgs;

/// (Documentation, "Error handling": "Delivery times out after 5 seconds".)
const DEADLINE: Duration = Duration::from_secs(5);

/// The call to send, and where to.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// Where to [default: `WEBHOOK_PATH` at `LISTEN_ADDR`].
    #[arg(long)]
    url: Option<Url>,

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
    let body = args.event.body(platform, token)?;
    let about: About = serde_json::from_slice(&body).unwrap_or_default();
    let mut shown = url.clone();
    // Both fail on a URL without a host alone, which holds neither.
    let _no_host = (shown.set_username(""), shown.set_password(None));
    println!("--> {}  {shown}", Safe(&words([about.event.or(Some("no event".into())), about.event_id])));

    let receiver = Vendor::new("the receiver");
    let request =
        receiver.request(Method::POST, url).timeout(DEADLINE).header(CONTENT_TYPE, "application/json");
    let request = signed(credited(request, &config.webhook), &config.webhook, &body);
    let begun = Instant::now();
    let answer = receiver.send(request.body(body)).await;
    let answer = answer.map_err(|error| {
        let error = error.to_string();
        anyhow!("{} → {}", Safe(&error), hint::unreachable(&error))
    })?;
    let status = answer.status.as_u16();
    // Of a receiver that is not ours nothing else is shown: it may repeat what we sent, the credential included.
    let said: Said = answer.json().unwrap_or_default();
    let said = words([said.error.or(said.status), said.event_id]);
    println!("<-- {status} {} ({} ms)", Safe(&said), millis(begun));
    if status == 200 { Ok(()) } else { bail!("{}", hint::refused(status)) }
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

/// A receiver's answer. (`answer`, and `docs/operate.md`, "Answers".)
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    status: Option<String>,
    error: Option<String>,
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

/// With the token, or else Basic Auth. (Documentation, "Security & authentication".)
fn credited(request: RequestBuilder, config: &WebhookConfig) -> RequestBuilder {
    match (&config.token, &config.basic_user) {
        (Some(token), _) => request.header(&config.token_header, token.expose_secret()),
        (None, Some(user)) => {
            request.basic_auth(user, config.basic_password.as_ref().map(ExposeSecret::expose_secret))
        }
        (None, None) => request,
    }
}

/// With the HMAC-SHA256 of the body in hex. (Documentation, "Signature verification".)
fn signed(request: RequestBuilder, config: &WebhookConfig, body: &[u8]) -> RequestBuilder {
    let key = config.signing_secret.as_ref().or(config.token.as_ref());
    let Some(key) = key.filter(|_| config.signature != Some(SignaturePolicy::Off)) else { return request };
    let key = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes());
    let signature = key.expect("HMAC takes keys of any length").chain_update(body).finalize().into_bytes();
    request.header(&config.signature_header, hex::encode(signature))
}
