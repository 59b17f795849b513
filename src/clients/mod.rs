//! 5. The vendors' APIs. ★ Replace them with yours.
//!
//! A client owns its base URL, its credential and its vendor's rules, and knows nothing of jobs. Every answer that is no
//! success becomes a [`ClientError`], which says whether another try makes sense.

pub mod hubspot;

use std::time::{Duration, SystemTime};

use reqwest::{RequestBuilder, Response, StatusCode, header::RETRY_AFTER, redirect};
use serde::de::DeserializeOwned;

/// Within the job's time limit of 20 s, so that a job ends with the vendor's error rather than with its own.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// Why a vendor did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It may do it later.
    #[error("{reason}")]
    Retry {
        /// What it said.
        reason: String,
        /// When it wants to be asked again.
        after: Option<Duration>,
    },
    /// It will never do this.
    #[error("{0}")]
    Stop(String),
    /// It doesn't know our credential.
    #[error("{0}")]
    Unauthorized(String),
}

impl ClientError {
    /// Something that another try may cure.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None }
    }

    /// What an answer that is no success means by its status alone; `reason` says what the vendor said.
    ///
    /// Worth another try are 408 (timeout), 423 (locked), 425 (too early), 429 (too many), HubSpot's 477 (migrating)
    /// and all of 5xx; everything else will be refused again.
    #[must_use]
    pub fn by_status(answer: &Answer, reason: String) -> Self {
        match answer.status.as_u16() {
            401 => Self::Unauthorized(reason),
            408 | 423 | 425 | 429 | 477 | 500.. => Self::Retry { reason, after: answer.retry_after },
            _ => Self::Stop(reason),
        }
    }
}

/// The connections of one client, with its deadlines.
///
/// # Panics
///
/// When the program was built without TLS.
#[must_use]
pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .user_agent(concat!("aftercall/", env!("CARGO_PKG_VERSION")))
        .timeout(REQUEST_DEADLINE)
        // An API has no reason to redirect, and a bearer token none to follow.
        .redirect(redirect::Policy::none())
        .build()
        .expect("the TLS backend is compiled in")
}

/// A vendor's answer, read whole.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// When the vendor wants to be asked again.
    pub retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// Sends a request; an answer of any status is an `Ok`.
///
/// # Errors
///
/// [`ClientError::Retry`] when there is no answer.
pub async fn send(vendor: &str, request: RequestBuilder) -> Result<Answer, ClientError> {
    let lost = |error: reqwest::Error| {
        // Without the URL, which may hold a number or an id of a contact.
        let error = anyhow::Error::from(error.without_url());
        ClientError::retry(format!("{vendor} can't be reached: {error:#}"))
    };
    let response = request.send().await.map_err(lost)?;
    let (status, retry_after) = (response.status(), retry_after(&response));
    let body = response.bytes().await.map_err(lost)?.into();
    Ok(Answer { status, retry_after, body })
}

/// RFC 9110, section 10.2.3: seconds, or a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = value.parse().map(Duration::from_secs);
    let until = |date: SystemTime| date.duration_since(SystemTime::now()).unwrap_or_default();
    seconds.ok().or_else(|| httpdate::parse_http_date(value).ok().map(until))
}

impl Answer {
    /// The answer, when it is a success.
    ///
    /// # Errors
    ///
    /// What its status means, with the start of its body.
    pub fn success(self, vendor: &str) -> Result<Self, ClientError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let reason = format!("{vendor} answered {}: {}", self.status.as_u16(), self.text());
        Err(ClientError::by_status(&self, reason))
    }

    /// The body as JSON, if it is what is looked for.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The start of the body.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(200).collect()
    }
}
