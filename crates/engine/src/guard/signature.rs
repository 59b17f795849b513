//! The HMAC-SHA256 of the raw body. (Documentation, "Signature verification (optional hardening)".)

use axum::http::{HeaderMap, HeaderName};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::{
    headers::single,
    slip::{self, NamedKey},
};
use crate::{
    answer::Rejection,
    config::{ConfigError, SignaturePolicy, WebhookConfig},
};

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) struct Signatures {
    policy: SignaturePolicy,
    header: HeaderName,
    keys: Vec<Hmac<Sha256>>,
    /// All that somebody may sign with, to explain a signature that doesn't fit.
    known: Vec<NamedKey>,
}

impl Signatures {
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, ConfigError> {
        let (secret, previous) = match &config.signing_secret {
            Some(secret) => (Some(secret), config.signing_secret_previous.as_ref()),
            None => (config.token.as_ref(), config.token_previous.as_ref()),
        };
        let by_default = if config.signing_secret.is_some() {
            SignaturePolicy::Required
        } else {
            SignaturePolicy::Optional
        };
        let mut policy = config.signature.unwrap_or(by_default);
        if secret.is_none() {
            match policy {
                SignaturePolicy::Required => {
                    return Err(ConfigError::new(
                        "WEBHOOK_SIGNATURE=required has nothing to verify with: set WEBHOOK_SIGNING_SECRET",
                    ));
                }
                SignaturePolicy::Optional => {
                    tracing::warn!(
                        "signatures are ignored: neither WEBHOOK_SIGNING_SECRET nor WEBHOOK_TOKEN is set"
                    );
                    policy = SignaturePolicy::Off;
                }
                SignaturePolicy::Off => {}
            }
        }
        let keys = secret.into_iter().chain(previous).map(key).collect();
        Ok(Self { policy, header: config.signature_header.clone(), keys, known: known(config) })
    }

    /// What was done in place of signing the body, as far as it can be told.
    pub(super) fn explain(&self, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        slip::explain(headers, body, single(headers, &self.header).ok()??, &self.known)
    }

    pub(super) fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejection> {
        if self.policy == SignaturePolicy::Off {
            return Ok(());
        }
        match single(headers, &self.header)?.filter(|sent| !sent.is_empty()) {
            None if self.policy == SignaturePolicy::Optional => Ok(()),
            None => Err(Rejection::NoSignature),
            Some(sent) => {
                let mac = decode(sent).unwrap_or_default();
                let signed_with =
                    |key: &Hmac<Sha256>| key.clone().chain_update(body).verify_slice(&mac).is_ok();
                if self.keys.iter().any(signed_with) {
                    return Ok(());
                }
                Err(Rejection::WrongSignature { slip: None })
            }
        }
    }
}

/// Every secret of the webhook; the first is the one to sign with.
fn known(config: &WebhookConfig) -> Vec<NamedKey> {
    let signing = [
        (&config.signing_secret, "made with WEBHOOK_SIGNING_SECRET"),
        (&config.signing_secret_previous, "made with WEBHOOK_SIGNING_SECRET_PREVIOUS"),
        (&config.token, "made with WEBHOOK_TOKEN, not with WEBHOOK_SIGNING_SECRET"),
        (&config.token_previous, "made with WEBHOOK_TOKEN_PREVIOUS"),
        (&config.basic_password, "made with WEBHOOK_BASIC_PASSWORD"),
    ];
    let set = signing.into_iter().filter_map(|(secret, name)| Some((name, key(secret.as_ref()?))));
    set.enumerate().map(|(place, (name, key))| (if place > 0 { name } else { "" }, key)).collect()
}

fn key(secret: &SecretString) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length")
}

/// The documentation shows hex; other senders prefix `sha256=` or use base64. 32 bytes are 64 digits of hex or 43 or
/// 44 letters of base64, so the forms can't be mistaken for each other.
fn decode(sent: &[u8]) -> Option<Vec<u8>> {
    let sent = sent.strip_prefix(b"sha256=").unwrap_or(sent);
    hex::decode(sent).or_else(|_| BASE64.decode(sent)).ok()
}
