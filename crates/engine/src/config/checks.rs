//! Settings that do harm together, or are of no use. A process does not start with them.

use secrecy::ExposeSecret;

use super::{
    own::Config,
    values::{AllowedAddresses, ConfigError},
};

/// A secret of fewer characters can be guessed, where nothing but its length keeps guesses out.
const SHORTEST_SECRET: usize = 16;

impl Config {
    /// Refuses to be public and to let this machine alone deliver: whoever came through the proxy got 403, or, where the
    /// proxy doesn't say for whom it forwards, everybody was let in as this machine.
    ///
    /// # Errors
    ///
    /// It names both settings.
    pub fn refuse_to_hear_nobody(&self) -> Result<(), ConfigError> {
        match &self.webhook.allowed_ips {
            AllowedAddresses::Only(networks) if self.public_url.is_some() && networks.are_loopback() => {
                Err(ConfigError::new(
                    "PUBLIC_URL is set, and WEBHOOK_ALLOWED_IPS lets this machine alone deliver: list the platform's \
                     addresses there, or say `any` until you know them",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Refuses secrets of ours that are in force and can be guessed. One of before a rotation may be what it was.
    ///
    /// # Errors
    ///
    /// It names the first.
    pub fn refuse_short_secrets(&self) -> Result<(), ConfigError> {
        let ours = [
            ("WEBHOOK_TOKEN", &self.webhook.token),
            ("WEBHOOK_BASIC_PASSWORD", &self.webhook.basic_password),
            ("WEBHOOK_SIGNING_SECRET", &self.webhook.signing_secret),
            ("CONSOLE_PASSWORD", &self.console_password),
        ];
        let short = |secret: &str| secret.chars().count() < SHORTEST_SECRET;
        match ours.iter().find(|(_, set)| set.as_ref().is_some_and(|set| short(set.expose_secret()))) {
            None => Ok(()),
            Some((name, _)) => Err(ConfigError::new(format!(
                "{name} has fewer than {SHORTEST_SECRET} characters and can be guessed: set it to what \
                 `openssl rand -hex 32` prints"
            ))),
        }
    }
}
