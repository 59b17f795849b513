//! What Zendesk's errors mean.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::wire::Refusal;
use engine::vendor::{Answer, ClientError};

/// After so long a ticket that was just made is found by its `external_id`.
const FOUND_AGAIN: Duration = Duration::from_secs(2);

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
