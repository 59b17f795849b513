//! How Zendesk is spoken to: its paths, its token, its errors.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::{Zendesk, wire::Refusal};
use crate::vendor::{Answer, ClientError};

/// After so long a ticket that was just made is found by its `external_id`.
const FOUND_AGAIN: Duration = Duration::from_secs(2);

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
        self.vendor.request(method, url)
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
        match again {
            Some(again) if answer.status == StatusCode::UNAUTHORIZED => {
                self.tokens.forget(&token).await;
                let token = self.tokens.get(&self.vendor, &self.base_url).await?;
                self.vendor.send_apart(again.bearer_auth(token)).await
            }
            _ => Ok(answer),
        }
    }
}

pub(super) fn success(answer: Answer) -> Result<Answer, ClientError> {
    if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
}

/// What Zendesk's error means. (Zendesk's documentation, "Responses": `error` is a word or an object.)
pub(super) fn refused(answer: &Answer) -> ClientError {
    let refusal: Option<Refusal> = answer.json();
    let codes = refusal.map(|refusal| refusal.to_string()).unwrap_or_default();
    let reason = format!("Zendesk answered {}{codes}", answer.status.as_u16());
    match answer.status.as_u16() {
        401 => ClientError::Unauthorized(format!(
            "{reason} (are ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET right?)"
        )),
        // Another body went out under this key: the next try finds the ticket that it made, and gives it what it lacks.
        400 if reason.contains("IdempotentRequestError") => {
            ClientError::Retry { reason, after: Some(FOUND_AGAIN) }
        }
        _ => answer.refusal(reason),
    }
}

pub(super) fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    answer.json().ok_or_else(|| ClientError::retry("Zendesk's answer is not of the documented form"))
}
