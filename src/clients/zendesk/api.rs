//! How Zendesk is spoken to: its paths and its token.

use phonenumber::country;
use reqwest::{Method, RequestBuilder, StatusCode, Url, header::ACCEPT};

use super::{refusal::success, token::Tokens, triage::Triage};
use crate::settings::ZendeskRequester;
use engine::{
    config::Pairs,
    vendor::{Answer, ClientError, Turns, Vendor},
};

/// Zendesk's API under one OAuth client.
pub struct Zendesk {
    pub(super) vendor: Vendor,
    pub(super) base_url: Url,
    pub(super) tokens: Tokens,
    pub(super) turns: Turns,
    pub(super) agents: Pairs,
    pub(super) requester: ZendeskRequester,
    pub(super) region: Option<country::Id>,
    pub(super) triage: Triage,
}

impl Zendesk {
    /// `/api/v2/{path}.json`.
    pub(super) fn url(&self, path: &[&str]) -> Url {
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

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        accepting_json(self.vendor.request(method, url))
    }

    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let answer = self.send(request).await?;
        self.vendor.heed(&answer);
        success(answer)
    }

    /// Sends a request under our token, and once more under a new one when that one has ended early. Whom a 429 concerns is
    /// the caller's to say.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
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
pub(super) fn accepting_json(request: RequestBuilder) -> RequestBuilder {
    request.header(ACCEPT, "application/json")
}
