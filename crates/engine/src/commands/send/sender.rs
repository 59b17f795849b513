//! A receiver, as the platform would speak to it.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder, Url, header::CONTENT_TYPE};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::Sha256;

use crate::{
    config::{SignaturePolicy, WebhookConfig},
    vendor::{ClientError, Vendor},
};

/// (Documentation, "Error handling": "Delivery times out after 5 seconds".)
const DEADLINE: Duration = Duration::from_secs(5);

/// A receiver, and the credential for it.
pub(super) struct Sender {
    receiver: Vendor,
    url: Url,
    webhook: WebhookConfig,
}

/// What a receiver answered. Of one that is not ours nothing else is shown: it may repeat what we sent, the credential
/// included.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) said: Said,
}

/// (`answer`, and `docs/operate.md`, "Answers".)
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    pub(super) status: Option<String>,
    pub(super) error: Option<String>,
    pub(super) event_id: Option<String>,
}

impl Sender {
    pub(super) fn new(url: Url, webhook: WebhookConfig) -> Self {
        Self { receiver: Vendor::new("the receiver"), url, webhook }
    }

    /// Sends an event.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub(super) async fn send(&self, body: impl Into<Vec<u8>>) -> Result<Answered, ClientError> {
        let body = body.into();
        let request = self.receiver.request(Method::POST, self.url.clone());
        let request = request.timeout(DEADLINE).header(CONTENT_TYPE, "application/json");
        let request = signed(credited(request, &self.webhook), &self.webhook, &body);
        let answer = self.receiver.send(request.body(body)).await?;
        Ok(Answered { status: answer.status.as_u16(), said: answer.json().unwrap_or_default() })
    }
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
