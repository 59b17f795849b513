//! What can be said of the settings alone: credentials, addresses.

use std::collections::HashSet;

use secrecy::{ExposeSecret, SecretString};

use super::report::Report;
use crate::{
    config::{AllowedAddresses, Config, Networks},
    guard::Guard,
    package::Package,
};

/// Fewer characters, or fewer different ones, can be guessed.
const SHORTEST: usize = 16;
const LEAST_DIFFERENT: usize = 8;

/// What stands in documentation and examples, and never in a random secret.
const KNOWN: [&str; 10] = [
    "changeme",
    "change-me",
    "change_me",
    "replace",
    "password",
    "passw0rd",
    "secret",
    "example",
    "123456",
    "qwerty",
];

pub(super) fn check(config: &Config, report: &mut Report) {
    credentials(config, report);
    secrets(config, report);
    addresses(config, report);
}

/// Whether the receiver would start, and whom it would admit.
fn credentials(config: &Config, report: &mut Report) {
    let webhook = &config.webhook;
    if let Err(error) = Guard::new(webhook) {
        return report.cross(
            "credential",
            &error.to_string(),
            &format!("{} makes such secrets", Package::of_this_process().command("init")),
        );
    }
    if webhook.gone {
        let to_do = "take it away once deliveries are wanted again";
        return report.cross("credential", "WEBHOOK_GONE is set: every delivery is answered 410", to_do);
    }
    match (&webhook.token, &webhook.basic_user) {
        _ if webhook.allow_unauthenticated => report.cross(
            "credential",
            "WEBHOOK_ALLOW_UNAUTHENTICATED lets everybody deliver",
            "take it away, and set WEBHOOK_TOKEN",
        ),
        (Some(_), Some(_)) => report.tick("credential", "a token or Basic Auth admits"),
        (Some(_), None) => {
            report.tick("credential", &format!("the token in {} admits", webhook.token_header));
        }
        (None, _) => report.tick("credential", "Basic Auth admits"),
    }
}

/// Whether those that we chose ourselves can be guessed; a vendor's are the vendor's choice.
fn secrets(config: &Config, report: &mut Report) {
    let webhook = &config.webhook;
    let ours = [
        ("WEBHOOK_TOKEN", &webhook.token),
        ("WEBHOOK_TOKEN_PREVIOUS", &webhook.token_previous),
        ("WEBHOOK_BASIC_PASSWORD", &webhook.basic_password),
        ("WEBHOOK_BASIC_PASSWORD_PREVIOUS", &webhook.basic_password_previous),
        ("WEBHOOK_SIGNING_SECRET", &webhook.signing_secret),
        ("WEBHOOK_SIGNING_SECRET_PREVIOUS", &webhook.signing_secret_previous),
        ("CONSOLE_PASSWORD", &config.console_password),
    ];
    let set: Vec<_> = ours.iter().filter_map(|(name, secret)| Some((*name, secret.as_ref()?))).collect();
    let weak: Vec<_> = set.iter().filter(|(_, secret)| is_weak(secret)).map(|(name, _)| *name).collect();
    let console = config.console_password.as_ref().map(ExposeSecret::expose_secret);
    let shared = set
        .iter()
        .find(|(name, secret)| *name != "CONSOLE_PASSWORD" && Some(secret.expose_secret()) == console);
    if !weak.is_empty() {
        let found = format!("{} can be guessed", weak.join(", "));
        report.cross("secrets", &found, "take 32 random bytes: openssl rand -hex 32");
    }
    if let Some((name, _)) = shared {
        let found = format!("{name} and CONSOLE_PASSWORD are the same");
        report.cross("secrets", &found, "the platform needs no way into the console: change one");
    }
    match (set.is_empty(), weak.is_empty() && shared.is_none()) {
        (true, _) => report.dash("secrets", "none is set"),
        (false, true) => report.tick("secrets", "long and various enough"),
        (false, false) => {}
    }
}

fn is_weak(secret: &SecretString) -> bool {
    let secret = secret.expose_secret().to_lowercase();
    let different: HashSet<_> = secret.chars().collect();
    secret.chars().count() < SHORTEST
        || different.len() < LEAST_DIFFERENT
        || KNOWN.iter().any(|known| secret.contains(known))
}

/// Whether the platform's deliveries, which come through the proxy at `PUBLIC_URL`, would be let in.
fn addresses(config: &Config, report: &mut Report) {
    let webhook = &config.webhook;
    let public = config.public_url.is_some();
    let no_proxy = public && webhook.trusted_proxies.is_empty();
    let allowed: Option<&Networks> = match &webhook.allowed_ips {
        AllowedAddresses::Any => None,
        AllowedAddresses::Only(networks) => Some(networks),
    };
    match allowed {
        Some(networks) if public && networks.are_private() => report.cross(
            "addresses",
            "WEBHOOK_ALLOWED_IPS lists this machine and private networks alone, and the platform is outside",
            "list the platform's egress addresses, as it tells you them",
        ),
        Some(_) if no_proxy => report.cross(
            "addresses",
            "TRUSTED_PROXIES is empty, and the proxy at PUBLIC_URL forwards for others: they get 403",
            "name the proxy's network in TRUSTED_PROXIES",
        ),
        Some(networks) if networks.are_private() => {
            report.tick("addresses", "this machine or a private network alone may deliver");
        }
        Some(_) => report.tick("addresses", "those in WEBHOOK_ALLOWED_IPS may deliver"),
        None => report.tick(
            "addresses",
            "warning: every address may deliver; the platform's documentation asks to reject unknown ones",
        ),
    }
}
