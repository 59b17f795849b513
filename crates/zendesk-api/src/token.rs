//! The OAuth token, kept until shortly before its end. (Zendesk's documentation, "OAuth tokens for grant types".)

use std::time::Duration;

use engine::vendor::{ClientError, Vendor};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    api::accepting_json,
    error::{refused, success},
};

/// Renewed this long before its end, so that none ends on its way.
const MARGIN: Duration = Duration::from_mins(1);

/// Where Zendesk doesn't say how long it lives.
const LIFETIME: Duration = Duration::from_mins(30);

pub(crate) struct Tokens {
    client_id: String,
    client_secret: SecretString,
    scope: &'static str,
    /// Held while a new one is asked for: many jobs need one token.
    current: Mutex<Option<Token>>,
}

struct Token {
    value: String,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

impl Tokens {
    pub(crate) fn new(client_id: String, client_secret: SecretString, scope: &'static str) -> Self {
        Self { client_id, client_secret, scope, current: Mutex::new(None) }
    }

    /// The current token, or a new one.
    pub(crate) async fn get(&self, vendor: &Vendor, base_url: &Url) -> Result<String, ClientError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.value.clone());
        }
        let mut url = base_url.clone();
        url.path_segments_mut().expect("a base URL has a path").pop_if_empty().extend(["oauth", "tokens"]);
        let request = accepting_json(vendor.request(Method::POST, url)).json(&json!({
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose_secret(),
            "scope": self.scope,
        }));
        let answer = success(vendor.send(request).await?)?;
        let granted: Granted = answer.json().ok_or_else(|| refused(&answer))?;
        let lifetime = granted.expires_in.map_or(LIFETIME, Duration::from_secs);
        // A token that lives shorter than the margin is used once.
        let renew_at = Instant::now() + lifetime.saturating_sub(MARGIN);
        *current = Some(Token { value: granted.access_token.clone(), renew_at });
        Ok(granted.access_token)
    }

    /// Forgets a token that Zendesk no longer knows, unless it was renewed meanwhile.
    pub(crate) async fn forget(&self, refused: &str) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.value == refused) {
            *current = None;
        }
    }
}
