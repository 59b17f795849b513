//! The platform's credential: a token in a header of any name, or Basic Auth. (Documentation, "Security &
//! authentication".)
//!
//! Secrets are compared as digests, so that the time taken tells neither their content nor their length.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{headers::single, previous::Previous};
use crate::{
    answer::Rejection,
    config::{ConfigError, WebhookConfig},
    presence::{Fingerprint, InForce},
};

pub(super) struct Credentials {
    token_header: HeaderName,
    token: Option<Secret>,
    previous_token: Previous,
    basic: Option<Secret>,
    previous_basic: Previous,
    tokens: InForce,
    optional: bool,
}

impl Credentials {
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, ConfigError> {
        let token = config.token.as_ref().map(|token| Secret::of(token, config.token_previous.as_ref()));
        let basic = match (&config.basic_user, &config.basic_password) {
            (Some(user), Some(password)) if !user.is_empty() => {
                let previous_user = config.basic_user_previous.as_ref().unwrap_or(user);
                let previous =
                    config.basic_password_previous.as_ref().map(|password| pair(previous_user, password));
                Some(Secret::of(&pair(user, password), previous.as_ref()))
            }
            (None, None) => None,
            _ => {
                return Err(ConfigError::new(
                    "WEBHOOK_BASIC_USER and WEBHOOK_BASIC_PASSWORD go together: set both, or none of them",
                ));
            }
        };
        if token.is_none() && basic.is_none() && !config.allow_unauthenticated {
            return Err(ConfigError::new(
                "no credential is configured, so nobody could deliver: set WEBHOOK_TOKEN to a long random secret \
                 (openssl rand -hex 32), or WEBHOOK_BASIC_USER and WEBHOOK_BASIC_PASSWORD",
            ));
        }
        Ok(Self {
            token_header: config.token_header.clone(),
            token,
            previous_token: Previous::new("WEBHOOK_TOKEN_PREVIOUS"),
            basic,
            previous_basic: Previous::new("WEBHOOK_BASIC_PASSWORD_PREVIOUS"),
            tokens: InForce {
                token: config.token.as_ref().map(Fingerprint::of),
                previous: config.token_previous.as_ref().map(Fingerprint::of),
            },
            optional: config.allow_unauthenticated,
        })
    }

    /// The tokens that admit.
    pub(super) fn in_force(&self) -> &InForce {
        &self.tokens
    }

    /// Either scheme admits where both are configured. Returns the token that did.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<Option<&Fingerprint>, Rejection> {
        let sent = match &self.token {
            Some(_) => single(headers, &self.token_header)?.map(bearer),
            None => None,
        };
        self.check_with(sent, headers)
    }

    /// Whether a right secret is in the headers.
    pub(super) fn know(&self, headers: &HeaderMap) -> bool {
        let sent = |name| headers.get(name).is_some_and(|sent: &HeaderValue| self.hold(sent.as_bytes()));
        sent(&self.token_header) || sent(&header::AUTHORIZATION)
    }

    /// The same where the token did not stand in a header.
    pub(super) fn check_with(
        &self,
        token: Option<&[u8]>,
        headers: &HeaderMap,
    ) -> Result<Option<&Fingerprint>, Rejection> {
        let token = self.token.as_ref().zip(token).map(|(secret, sent)| secret.is(sent));
        let basic = match &self.basic {
            Some(secret) => single(headers, &header::AUTHORIZATION)?.map(|sent| match basic(sent) {
                Some(pair) => secret.is(&pair),
                None => Match::None,
            }),
            None => None,
        };
        match token {
            Some(Match::Current) => return Ok(self.tokens.token.as_ref()),
            Some(Match::Previous) => {
                self.previous_token.count();
                return Ok(self.tokens.previous.as_ref());
            }
            Some(Match::None) | None => {}
        }
        match basic {
            Some(Match::Current) => return Ok(None),
            Some(Match::Previous) => {
                self.previous_basic.count();
                return Ok(None);
            }
            Some(Match::None) | None => {}
        }
        match (token, basic) {
            (None, None) if self.optional => Ok(None),
            (None, None) => Err(Rejection::NoCredential),
            _ => Err(Rejection::WrongCredential { basic: self.basic.is_some() }),
        }
    }

    /// Whether this is one of the secrets, under whatever name it came.
    pub(super) fn hold(&self, sent: &[u8]) -> bool {
        let is = |secret: &Option<Secret>, sent: &[u8]| {
            secret.as_ref().is_some_and(|secret| !matches!(secret.is(sent), Match::None))
        };
        is(&self.token, bearer(sent)) || basic(sent).is_some_and(|pair| is(&self.basic, &pair))
    }
}

/// A secret and the one before it, as digests.
#[derive(PartialEq, Eq)]
pub(crate) struct Secret {
    current: [u8; 32],
    previous: Option<[u8; 32]>,
}

#[derive(Clone, Copy)]
pub(crate) enum Match {
    Current,
    Previous,
    None,
}

impl Secret {
    pub(crate) fn of(current: &SecretString, previous: Option<&SecretString>) -> Self {
        let digest = |secret: &SecretString| Sha256::digest(secret.expose_secret()).into();
        Self { current: digest(current), previous: previous.map(digest) }
    }

    pub(crate) fn is(&self, sent: &[u8]) -> Match {
        let sent: [u8; 32] = Sha256::digest(sent).into();
        let current = self.current.ct_eq(&sent);
        let previous = self.previous.map_or(Choice::from(0), |previous| previous.ct_eq(&sent));
        match (current.into(), previous.into()) {
            (true, _) => Match::Current,
            (false, true) => Match::Previous,
            (false, false) => Match::None,
        }
    }
}

fn pair(user: &str, password: &SecretString) -> SecretString {
    format!("{user}:{}", password.expose_secret()).into()
}

/// The documentation calls it a "custom bearer/secret header": the word Bearer before the token is allowed.
fn bearer(sent: &[u8]) -> &[u8] {
    match sent.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => token,
        _ => sent,
    }
}

/// `user:password` from `Basic <base64>` (RFC 7617).
pub(crate) fn basic(sent: &[u8]) -> Option<Vec<u8>> {
    let (scheme, pair) = sent.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case(b"Basic ").then(|| BASE64_STANDARD.decode(pair.trim_ascii()).ok()).flatten()
}
