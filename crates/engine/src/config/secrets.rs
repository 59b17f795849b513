//! Where a secret comes from: its variable, or the file that `NAME_FILE` names.

use std::{env, fs, path::PathBuf};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::{own::Config, values::ConfigError};

/// The secret in the variable `name`, or in the file that `{name}_FILE` names (as Docker's and systemd's secrets are handed in).
///
/// # Errors
///
/// It is set but empty, set twice, or in a file that can't be read.
pub(super) fn secret(name: &str) -> Result<Option<String>, ConfigError> {
    let file_name = format!("{name}_FILE");
    let (source, text) = match (env::var_os(name), env::var_os(&file_name)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(ConfigError::new(format!("{name} and {file_name} are both set: keep one of them")));
        }
        (Some(text), None) => {
            let text = text.into_string().map_err(|_| ConfigError::new(format!("{name} is not UTF-8")))?;
            (name, text)
        }
        (None, Some(path)) => {
            let text = fs::read_to_string(&path).map_err(|error| {
                ConfigError::new(format!(
                    "{file_name} names {}, which can't be read: {error}",
                    path.display()
                ))
            })?;
            (file_name.as_str(), text)
        }
    };
    match text.trim() {
        "" => Err(ConfigError::new(format!("{source} is empty: give it a value, or don't set it at all"))),
        text => Ok(Some(text.to_owned())),
    }
}

impl Config {
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
}

/// The file that the secret was handed in as.
pub(super) fn file_of(name: &str) -> Option<PathBuf> {
    env::var_os(format!("{name}_FILE")).map(PathBuf::from)
}

/// A new secret of 256 bits, in hex: nothing in it needs a quote or an escape anywhere.
///
/// # Errors
///
/// The system has no randomness.
pub fn new_secret() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes).into())
}

/// The database's URL with the password in it, so that a password is kept in one place and may hold any character. A URL
/// that has one keeps it, and one of a socket has no place for it.
fn with_password(url: &SecretString, password: &SecretString) -> SecretString {
    // What is no URL is told by whoever connects.
    let Some(mut full) = url.expose_secret().parse::<Url>().ok().filter(|full| full.password().is_none())
    else {
        return url.clone();
    };
    // The one character that `set_password` leaves as it is and a reader of the URL does not.
    let password = password.expose_secret().replace('%', "%25");
    match full.set_password(Some(&password)) {
        Ok(()) => String::from(full).into(),
        Err(()) => url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(url: &str, password: &str) -> String {
        with_password(&url.into(), &password.into()).expose_secret().to_owned()
    }

    #[test]
    fn a_password_of_any_characters_goes_into_a_url_that_has_none() {
        let url = full("postgres://aftercall@postgres:5432/aftercall", "a/b@c:%?#");
        assert_eq!(url, "postgres://aftercall:a%2Fb%40c%3A%25%3F%23@postgres:5432/aftercall");
    }

    #[test]
    fn a_url_with_a_password_or_of_a_socket_stays_as_it_is() {
        for url in
            ["postgres://aftercall:own@postgres/aftercall", "postgres:///aftercall?host=/run/postgresql"]
        {
            assert_eq!(full(url, "other"), url);
        }
    }
}
