//! The settings that never come from flags: the one list of the secrets, and how they are read.

use secrecy::{ExposeSecret, SecretString};

use super::{
    Config,
    secrets::{in_a_file, secret, with_password},
    values::ConfigError,
};

impl Config {
    /// Reads the settings that never come from flags, each from its variable or from the file that `NAME_FILE` names.
    ///
    /// # Errors
    ///
    /// A secret that is set but empty, set twice, or in a file that can't be read.
    pub fn with_secrets(mut self) -> Result<Self, ConfigError> {
        for (name, value) in self.secrets() {
            *value = secret(name)?;
        }
        Ok(self)
    }

    /// `DATABASE_URL` with `POSTGRES_PASSWORD` in it, where it has no password of its own.
    ///
    /// # Errors
    ///
    /// It is not set.
    pub fn database(&self) -> Result<SecretString, ConfigError> {
        let url = self.database_url.as_ref().ok_or_else(|| {
            ConfigError::new(
                "DATABASE_URL is not set: postgres://user:password@host:5432/database, or DATABASE_URL_FILE",
            )
        })?;
        let password = self.postgres_password.as_ref();
        Ok(password.map_or_else(|| url.clone(), |password| with_password(url, password)))
    }

    /// The secrets that were handed in as files, by their variables' names.
    pub fn secrets_in_files(&mut self) -> Vec<&'static str> {
        self.secrets().into_iter().map(|(name, _)| name).filter(|name| in_a_file(name)).collect()
    }

    /// Reads the secret of this name again, and returns whether it changed.
    ///
    /// # Errors
    ///
    /// Its file is empty or can't be read.
    pub fn read_again(&mut self, name: &str) -> Result<bool, ConfigError> {
        let now = secret(name)?;
        let text = |secret: &Option<SecretString>| secret.as_ref().map(|it| it.expose_secret().to_owned());
        let value = self.secrets().into_iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let changed = value.filter(|value| text(value) != text(&now));
        Ok(changed.map(|value| *value = now).is_some())
    }

    /// Every secret under its variable's name. They have no flags, so this is the one list of them.
    pub fn secrets(&mut self) -> Vec<(&'static str, &mut Option<SecretString>)> {
        let Self { webhook, .. } = self;
        vec![
            ("DATABASE_URL", &mut self.database_url),
            ("POSTGRES_PASSWORD", &mut self.postgres_password),
            ("CONSOLE_PASSWORD", &mut self.console_password),
            ("WEBHOOK_TOKEN", &mut webhook.token),
            ("WEBHOOK_TOKEN_PREVIOUS", &mut webhook.token_previous),
            ("WEBHOOK_BASIC_PASSWORD", &mut webhook.basic_password),
            ("WEBHOOK_BASIC_PASSWORD_PREVIOUS", &mut webhook.basic_password_previous),
            ("WEBHOOK_SIGNING_SECRET", &mut webhook.signing_secret),
            ("WEBHOOK_SIGNING_SECRET_PREVIOUS", &mut webhook.signing_secret_previous),
            ("HUBSPOT_TOKEN", &mut self.hubspot.token),
            ("ZENDESK_CLIENT_SECRET", &mut self.zendesk.client_secret),
            ("REVIEW_SECRET", &mut self.review.secret),
            ("REPORT_SECRET", &mut self.report.secret),
            ("ALERT_URL", &mut self.alerts.url),
        ]
    }
}
