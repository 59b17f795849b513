//! What Zendesk's errors mean.

use std::{fmt, time::Duration};

use engine::vendor::{Answer, ClientError, code};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// After so long a record that was just made is found by its `external_id`.
pub(crate) const FOUND_AGAIN: Duration = Duration::from_secs(2);

/// Which limit of updates was exceeded, as `total=30; remaining=0; resets=480`.
const USAGE: &str = "zendesk-ratelimit-tickets-update";

/// What [`USAGE`] begins with where it is the limit of one ticket; the account's is 100 a minute, or 20 or 300.
const OF_ONE_TICKET: &str = "total=30;";

/// No limit of the account's has a longer window.
const WINDOW_OF_THE_ACCOUNT: Duration = Duration::from_mins(1);

/// How long the ticket takes no updates, after a 429 to one: Zendesk takes 30 of a ticket by one user in ten minutes, which
/// holds back the calls of this ticket and no others. `None` where the limit is the account's, or can't be told. (Zendesk's
/// documentation, "Update Ticket".)
///
/// It is the ticket's when Zendesk says so, or when the pause is longer than any of the account's. A shorter one that
/// says nothing is taken for the account's: then everything waits, a minute at most.
pub(crate) fn pause_of_the_ticket(answer: &Answer) -> Option<Duration> {
    let of_this_ticket = answer.header(USAGE).is_some_and(|usage| usage.trim().starts_with(OF_ONE_TICKET));
    let after = answer.retry_after.unwrap_or(WINDOW_OF_THE_ACCOUNT);
    (of_this_ticket || after > WINDOW_OF_THE_ACCOUNT).then_some(after)
}

pub(crate) fn success(answer: Answer) -> Result<Answer, ClientError> {
    if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
}

/// What Zendesk's error means. (Zendesk's documentation, "Responses": `error` is a word or an object.)
pub(crate) fn refused(answer: &Answer) -> ClientError {
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

pub(crate) fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    answer.json().ok_or_else(|| ClientError::retry("Zendesk's answer is not of the documented form"))
}

/// An error: `{"error":"RecordInvalid","description":…,"details":…}`, or an object in `error`.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    details: Value,
}

impl fmt::Display for Refusal {
    /// Its codes, and the fields that they are about; no description, which quotes what is refused.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(word) = self.error.as_str().or(self.error["title"].as_str()).and_then(code) {
            write!(f, " {word}")?;
        }
        let fields = self.details.as_object().into_iter().flat_map(|details| details.keys());
        let is_name = |field: &&String| {
            field.len() <= 40 && field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        fields.filter(is_name).take(5).try_for_each(|field| write!(f, " {field}"))
    }
}
