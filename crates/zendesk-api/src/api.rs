//! How Zendesk is spoken to: its paths, its token, its limits.

use std::time::Duration;

use engine::{
    config::ConfigError,
    need,
    vendor::{Answer, ClientError, OwnTurn, Turns, Vendor},
};
use reqwest::{Method, RequestBuilder, StatusCode, Url, header::ACCEPT};

use crate::{error::success, settings::Settings, token::Tokens};

/// Zendesk's API under one OAuth client.
pub struct Api {
    pub(crate) vendor: Vendor,
    pub(crate) base_url: Url,
    tokens: Tokens,
    turns: Turns,
}

impl Api {
    /// The API as configured, under a token of this scope.
    ///
    /// # Errors
    ///
    /// A setting is missing, named, or the base URL can't be one.
    pub fn new(settings: &Settings, scope: &'static str) -> Result<Self, ConfigError> {
        let base_url = need!(settings.zendesk_base_url)?;
        let id = need!(settings.zendesk_client_id)?;
        let secret = need!(settings.zendesk_client_secret)?;
        if base_url.cannot_be_a_base() {
            return Err(ConfigError::new("ZENDESK_BASE_URL is no http or https URL"));
        }
        Ok(Self {
            // 100 updates of tickets a minute, each with the looks before it. (Zendesk's documentation, "Rate limits".)
            vendor: Vendor::new("Zendesk").with_limit(300, Duration::from_mins(1), base_url),
            base_url: base_url.clone(),
            tokens: Tokens::new(id.clone(), secret.clone(), scope),
            turns: Turns::of("ticket"),
        })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    /// The right to write to this ticket, for as long as it is held.
    ///
    /// # Errors
    ///
    /// Others of this process are writing to it, or it takes no writes for now.
    pub async fn turn(&self, ticket: u64) -> Result<OwnTurn, ClientError> {
        self.turns.take(ticket).await
    }

    /// `/api/v2/{path}.json`.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        let (last, before) = path.split_last().expect("a path has an end");
        url.path_segments_mut()
            .expect("a base URL has a path")
            .pop_if_empty()
            .extend(["api", "v2"])
            .extend(before)
            .push(&format!("{last}.json"));
        url
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        accepting_json(self.vendor.request(method, url))
    }

    pub(crate) async fn ask(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let answer = self.send(request).await?;
        self.vendor.heed(&answer);
        success(answer)
    }

    /// Sends a request under our token, and once more under a new one when that one has ended early. Whom a 429 concerns is
    /// the caller's to say.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let again = request.try_clone();
        let token = self.tokens.get(&self.vendor, &self.base_url).await?;
        let answer = self.vendor.send_apart(request.bearer_auth(&token)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.tokens.forget(&token).await;
        // A file has gone by, and comes anew with the job.
        let again = again.ok_or_else(|| ClientError::retry("Zendesk's token ended before its time"))?;
        let token = self.tokens.get(&self.vendor, &self.base_url).await?;
        self.vendor.send_apart(again.bearer_auth(token)).await
    }
}

/// (Zendesk's documentation, "Requests": the header must be set on all requests.)
pub(crate) fn accepting_json(request: RequestBuilder) -> RequestBuilder {
    request.header(ACCEPT, "application/json")
}
