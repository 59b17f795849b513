//! What a vendor answered.

use std::time::{Duration, SystemTime};

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::de::DeserializeOwned;

use super::error::ClientError;

/// Where a vendor's 429 doesn't say how long to wait.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// A vendor's answer, read whole.
pub struct Answer {
    /// Whose it is.
    pub(super) vendor: &'static str,
    /// Its status.
    pub status: StatusCode,
    /// When the vendor wants to be asked again.
    pub retry_after: Option<Duration>,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// RFC 9110, section 10.2.3: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = value.parse().map(Duration::from_secs);
    let until = |date: SystemTime| date.duration_since(SystemTime::now()).unwrap_or_default();
    seconds.ok().or_else(|| httpdate::parse_http_date(value).ok().map(until))
}

impl Answer {
    /// The answer, when it is a success.
    ///
    /// # Errors
    ///
    /// What its status means. Nothing of its body: a vendor quotes what it refuses, in forms of its own.
    pub fn success(self) -> Result<Self, ClientError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(self.refusal(format!("{} answered {}", self.vendor, self.status.as_u16())))
    }

    /// What an answer that is no success means by its status alone; `reason` says what the vendor said.
    ///
    /// Worth another try are 408 (timeout), 409 (conflict), 423 (locked), 425 (too early), 429 (too many), HubSpot's 477
    /// (migrating) and all of 5xx; everything else will be refused again.
    #[must_use]
    pub fn refusal(&self, reason: String) -> ClientError {
        match self.status.as_u16() {
            401 => ClientError::Unauthorized(reason),
            429 => ClientError::Busy { reason, after: self.retry_after.unwrap_or(BUSY) },
            408 | 409 | 423 | 425 | 477 => ClientError::Retry { reason, after: self.retry_after },
            500.. => ClientError::Down(reason),
            _ => ClientError::Stop(reason),
        }
    }

    /// A header, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, if it is what is looked for.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// The words of a vendor's error that are a code of its own, `VALIDATION_ERROR` or `RecordInvalid`, and so may be kept: no
/// name, number or note of a person looks like it.
#[must_use]
pub fn code(text: &str) -> Option<&str> {
    let is_code = text.len() <= 60
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && (text.contains('_') || text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()));
    is_code.then_some(text)
}
