//! A webhook of your own: one POST a call, to whatever takes JSON. ★ Serves any system by a receiving function, without
//! Rust.
//!
//! Delivered at least once: after a lost answer the same delivery comes again, under the same `Idempotency-Key`. With a
//! secret it is signed by the Standard Webhooks scheme (<https://www.standardwebhooks.com>), which most languages have a
//! library for.

use chrono::Utc;
use reqwest::{Method, Url, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{ClientError, Vendor, idempotency_key};
use crate::{call::Call, config::ConfigError};

/// One receiving URL.
pub struct Webhook {
    vendor: Vendor,
    url: Url,
    signer: Option<standardwebhooks::Webhook>,
}

impl Webhook {
    /// A client for this URL.
    ///
    /// # Errors
    ///
    /// The secret is none of the scheme's: `whsec_` and base64.
    pub fn new(name: &'static str, url: Url, secret: Option<&SecretString>) -> Result<Self, ConfigError> {
        let signer = |secret: &SecretString| standardwebhooks::Webhook::new(secret.expose_secret());
        let signer = secret.map(signer).transpose().map_err(|_| {
            ConfigError::new(format!(
                "the secret of {name} must be whsec_ and base64: whsec_$(openssl rand -base64 32)"
            ))
        })?;
        Ok(Self { vendor: Vendor::new(name), url, signer })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Delivers the call for a job; returns the key under which it did.
    ///
    /// # Errors
    ///
    /// The receiver answered anything but 2xx, or can't be reached.
    pub async fn deliver(&self, job: &str, call: &Call) -> Result<String, ClientError> {
        self.deliver_under(&call.event_id, job, call).await
    }

    /// The same for a job that is done once for a call, whichever of its events it is run for.
    ///
    /// # Errors
    ///
    /// Those of [`deliver`](Self::deliver).
    pub async fn deliver_once(&self, job: &str, call: &Call) -> Result<String, ClientError> {
        self.deliver_under(&call.call_id, job, call).await
    }

    async fn deliver_under(&self, id: &str, job: &str, call: &Call) -> Result<String, ClientError> {
        let key = idempotency_key(&format!("{id}:{job}"));
        let now = Utc::now();
        let body = json!({ "type": job, "timestamp": now, "data": call }).to_string();
        let mut request = self
            .vendor
            .request(Method::POST, self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", &key)
            .header("webhook-id", &key)
            .header("webhook-timestamp", now.timestamp());
        if let Some(signer) = &self.signer {
            let signature = signer.sign(&key, now.timestamp(), body.as_bytes());
            let signature =
                signature.map_err(|error| ClientError::Stop(format!("it can't be signed: {error}")))?;
            request = request.header("webhook-signature", signature);
        }
        self.vendor.send(request.body(body)).await?.success()?;
        Ok(key)
    }
}
