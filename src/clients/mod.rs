//! 6. The vendors' APIs. ★ Replace them with yours (`docs/make-it-yours.md`).
//!
//! A client owns its base URL, its credential and its vendor's rules, and knows nothing of jobs. Every answer that is no
//! success becomes a [`ClientError`], which says whether another try makes sense.

mod answer;
mod budget;
mod cut;
pub mod hubspot;
pub mod run;
pub mod webhook;
pub mod zendesk;

/// The module of `update-crm`'s CRM, which has a type `Crm`. ★ With yours in `crm.rs`, this line is `pub mod crm;`.
pub use hubspot as crm;

use std::{num::NonZeroU32, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode, Url, header::HeaderValue, redirect};
use sha2::{Digest, Sha256};

pub use answer::Answer;
pub(crate) use answer::code;
use answer::retry_after;
use budget::Budget;

/// Within the job's time limit of 20 s, so that a job ends with the vendor's error rather than with its own.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// Where a vendor's 429 doesn't say how long to wait.
const BUSY: Duration = Duration::from_secs(10);

/// The most bytes of an answer that are read: nobody may fill our memory.
const LARGEST_ANSWER: usize = 4 << 20;

/// Why a vendor did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It may do this later, by itself or when it is asked again.
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
    /// It asks for a pause from all that we send.
    #[error("{reason}")]
    Busy {
        /// What it said.
        reason: String,
        /// How long the pause should be.
        after: Duration,
    },
    /// It asks for a pause from one thing alone: one ticket, one kind of request. This job waits, the vendor's others go on.
    #[error("{reason}")]
    Limited {
        /// What it said.
        reason: String,
        /// How long the pause should be.
        after: Duration,
    },
    /// It can't be reached, or is broken.
    #[error("{0}")]
    Down(String),
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
    /// Worth another try are 408 (timeout), 409 (conflict), 423 (locked), 425 (too early), 429 (too many), HubSpot's 477
    /// (migrating) and all of 5xx; everything else will be refused again.
    #[must_use]
    pub fn by_status(answer: &Answer, reason: String) -> Self {
        match answer.status.as_u16() {
            401 => Self::Unauthorized(reason),
            429 => Self::Busy { reason, after: answer.retry_after.unwrap_or(BUSY) },
            408 | 409 | 423 | 425 | 477 => Self::Retry { reason, after: answer.retry_after },
            500.. => Self::Down(reason),
            _ => Self::Stop(reason),
        }
    }
}

/// The longest key that is sent as it is: no vendor says how long one may be, and columns often end here.
const LONGEST_KEY: usize = 255;

/// A key that a header can carry; the hash of one that it can't. The caller's ids hold anything.
pub(crate) fn idempotency_key(text: &str) -> String {
    let fits = text.len() <= LONGEST_KEY && HeaderValue::from_str(text).is_ok();
    if fits { text.to_owned() } else { format!("sha256:{}", hex::encode(Sha256::digest(text))) }
}

/// A call that the CRM holds.
#[derive(Debug)]
pub struct Logged {
    /// The CRM's id of it.
    pub id: String,
    /// Its page there, where the answer named it.
    pub url: Option<String>,
    /// What a person should know beside it: why it stands beside no contact, or beside one of several.
    pub note: Option<String>,
}

/// A vendor's API, as one client speaks to it.
pub struct Vendor {
    /// Its name in errors.
    pub name: &'static str,
    http: reqwest::Client,
    budget: Option<Budget>,
}

impl Vendor {
    /// A vendor of this name, without a limit of requests.
    ///
    /// # Panics
    ///
    /// When the program was built without TLS.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let http = reqwest::Client::builder()
            .user_agent(concat!("aftercall/", env!("CARGO_PKG_VERSION")))
            .timeout(REQUEST_DEADLINE)
            // An API has no reason to redirect, and a bearer token none to follow.
            .redirect(redirect::Policy::none())
            .build()
            .expect("the TLS backend is compiled in");
        Self { name, http, budget: None }
    }

    /// Keeps what this process sends below the vendor's published limit: so many requests a second, and fewer while the
    /// vendor says that it is too many.
    ///
    /// # Panics
    ///
    /// With a budget of none, which would wait for ever.
    #[must_use]
    pub fn with_requests_a_second(self, requests: u32) -> Self {
        let requests = NonZeroU32::new(requests).expect("a budget of none would wait for ever");
        Self { budget: Some(Budget::requests_a_second(requests)), ..self }
    }

    /// A request to be filled in and sent.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends a request when the budget allows; an answer of any status is an `Ok`.
    ///
    /// Where the connection breaks, it is sent once more at once: a vendor may close an idle connection just when we use
    /// it. So a request must be safe to repeat, as a job is.
    ///
    /// # Errors
    ///
    /// [`ClientError::Down`] when there is no answer, [`ClientError::Busy`] when the vendor had asked for a pause,
    /// [`ClientError::Retry`] after the deadline of the run ([`run::watched`]).
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let answer = self.send_apart(request).await?;
        self.heed(&answer);
        Ok(answer)
    }

    /// The same for a request whose 429 may concern it alone: where it concerns all, the caller says so with
    /// [`heed`](Self::heed).
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send).
    pub async fn send_apart(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let again = request.try_clone();
        let answer = match (self.send_once(request).await, again) {
            (Err(Lost::Broken(_)), Some(again)) => self.send_once(again).await,
            (answer, _) => answer,
        };
        answer.map_err(|lost| match lost {
            // Without the URL, which may hold a number or an id of a contact.
            Lost::Broken(error) | Lost::Late(error) => {
                let error = anyhow::Error::from(error.without_url());
                ClientError::Down(format!("{} can't be reached: {error:#}", self.name))
            }
            Lost::Unsendable(error) => {
                let error = anyhow::Error::from(error.without_url());
                ClientError::Stop(format!("no request to {} can be made of this: {error:#}", self.name))
            }
            Lost::TooLate => {
                ClientError::retry("it was too late to send this: the job's time limit was over")
            }
            Lost::Paused(after) => {
                ClientError::Busy { reason: format!("{} has asked for a pause", self.name), after }
            }
            Lost::TooLarge => {
                ClientError::Down(format!("{} sent more than {LARGEST_ANSWER} bytes", self.name))
            }
        })
    }

    /// Sends less for a while where the answer says that it was too much.
    pub fn heed(&self, answer: &Answer) {
        if let Some(budget) = &self.budget
            && answer.status == StatusCode::TOO_MANY_REQUESTS
        {
            budget.exceeded(answer.retry_after.unwrap_or(BUSY));
        }
    }

    async fn send_once(&self, request: RequestBuilder) -> Result<Answer, Lost> {
        if let Some(budget) = &self.budget {
            budget.take().await.map_err(Lost::Paused)?;
        }
        let request = request.build()?;
        let url = request.url().clone();
        // Right before it is sent: a process may have been stopped while it waited.
        if run::is_over() {
            return Err(Lost::TooLate);
        }
        let mut response = self.http.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Lost::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        run::answered(&url, status);
        Ok(Answer { status, retry_after: retry_after(&headers), headers, body })
    }
}

/// Why there is no answer.
enum Lost {
    Unsendable(reqwest::Error),
    Broken(reqwest::Error),
    Late(reqwest::Error),
    TooLate,
    Paused(Duration),
    TooLarge,
}

impl From<reqwest::Error> for Lost {
    fn from(error: reqwest::Error) -> Self {
        match error {
            error if error.is_builder() => Self::Unsendable(error),
            error if error.is_timeout() => Self::Late(error),
            error => Self::Broken(error),
        }
    }
}
