//! What every client of a vendor's API shares: limits of requests, deadlines, and what an answer means.
//!
//! Every answer that is no success becomes a [`ClientError`], which says whether another try makes sense.

mod answer;
mod budget;
mod cut;
mod error;
pub mod run;
mod turns;
pub mod webhook;

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder, StatusCode, Url, header::HeaderValue, redirect};
use sha2::{Digest, Sha256};

use crate::{metrics, package::Package};
pub use answer::{Answer, code};
use answer::{BUSY, retry_after};
pub use budget::Budget;
use budget::Turn;
pub use cut::cut;
pub use error::ClientError;
pub use turns::{OwnTurn, Turns};

/// Within the job's time limit of 20 s, so that a job ends with the vendor's error rather than with its own.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// The most bytes of an answer that are read: nobody may fill our memory.
const LARGEST_ANSWER: usize = 4 << 20;

/// The longest key that is sent as it is: no vendor says how long one may be, and columns often end here.
const LONGEST_KEY: usize = 255;

/// A key that a header can carry; the hash of one that it can't. The caller's ids hold anything.
#[must_use]
pub fn idempotency_key(text: &str) -> String {
    let fits = text.len() <= LONGEST_KEY && HeaderValue::from_str(text).is_ok();
    if fits { text.to_owned() } else { format!("sha256:{}", hex::encode(Sha256::digest(text))) }
}

/// A vendor's API, as one client speaks to it.
pub struct Vendor {
    /// Its name in errors.
    pub name: &'static str,
    http: reqwest::Client,
    budget: Option<Arc<Budget>>,
}

impl Vendor {
    /// A vendor of this name, without a limit of requests.
    ///
    /// # Panics
    ///
    /// When the program was built without TLS.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let Package { name: program, version } = Package::of_this_process();
        let http = reqwest::Client::builder()
            .user_agent(format!("{program}/{version}"))
            .timeout(REQUEST_DEADLINE)
            // An API has no reason to redirect, and a bearer token none to follow.
            .redirect(redirect::Policy::none())
            .build()
            .expect("the TLS backend is compiled in");
        Self { name, http, budget: None }
    }

    /// Keeps what this process sends to the origin below the vendor's published limit: no more than so many requests in any
    /// `window`, by all of its jobs, and fewer after the vendor has said that it is too many. Each process counts by itself.
    ///
    /// # Panics
    ///
    /// With a limit of none, which would wait for ever.
    #[must_use]
    pub fn with_limit(self, requests: u32, window: Duration, origin: &Url) -> Self {
        let requests = NonZeroU32::new(requests).expect("a limit of none would wait for ever");
        let budget = Budget::shared(self.name, origin, || Budget::new(requests, window));
        Self { budget: Some(budget), ..self }
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
        self.send_under(None, request).await
    }

    /// The same for a request that a budget of its kind holds as well.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`ClientError::Limited`] when the vendor had asked for a pause in this kind.
    pub async fn send_within(&self, kind: &Budget, request: RequestBuilder) -> Result<Answer, ClientError> {
        self.send_under(Some(kind), request).await
    }

    async fn send_under(
        &self,
        kind: Option<&Budget>,
        request: RequestBuilder,
    ) -> Result<Answer, ClientError> {
        let again = request.try_clone();
        let answer = match (self.try_once(kind, request).await, again) {
            (Err(NoAnswer::Broken(_)), Some(again)) => self.try_once(kind, again).await,
            (answer, _) => answer,
        };
        answer.map_err(|missing| self.error(missing))
    }

    fn error(&self, missing: NoAnswer) -> ClientError {
        match missing {
            // Without the URL, which may hold a number or an id of a contact.
            NoAnswer::Broken(error) | NoAnswer::Late(error) => {
                let error = anyhow::Error::from(error.without_url());
                ClientError::Down(format!("{} can't be reached: {error:#}", self.name))
            }
            NoAnswer::Unsendable(error) => {
                let error = anyhow::Error::from(error.without_url());
                ClientError::Stop(format!("no request to {} can be made of this: {error:#}", self.name))
            }
            NoAnswer::TooLate => {
                ClientError::retry("it was too late to send this: the job's time limit was over")
            }
            NoAnswer::Paused(after) => {
                ClientError::Busy { reason: format!("{} has asked for a pause", self.name), after }
            }
            NoAnswer::KindPaused(after) => {
                let reason = format!("{} has asked for a pause in requests of this kind", self.name);
                ClientError::Limited { reason, after }
            }
            NoAnswer::TooLarge => {
                ClientError::Down(format!("{} sent more than {LARGEST_ANSWER} bytes", self.name))
            }
        }
    }

    /// The same for a request that is not safe to repeat, since its vendor has no key by which it would know it again: it is
    /// sent once. Whoever sends it looks first whether an earlier run has done it.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send).
    pub async fn send_once(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let answer = self.try_once(None, request).await.map_err(|missing| self.error(missing))?;
        self.heed(&answer);
        Ok(answer)
    }

    /// Sends less for a while where the answer says that it was too much.
    pub fn heed(&self, answer: &Answer) {
        if let Some(budget) = &self.budget
            && answer.status == StatusCode::TOO_MANY_REQUESTS
        {
            budget.exceeded(answer.retry_after.unwrap_or(BUSY));
        }
    }

    async fn try_once(&self, kind: Option<&Budget>, request: RequestBuilder) -> Result<Answer, NoAnswer> {
        let turn = match kind {
            Some(kind) => Some(kind.turn().await.map_err(NoAnswer::KindPaused)?),
            None => None,
        };
        if let Some(budget) = &self.budget {
            budget.take().await.map_err(NoAnswer::Paused)?;
        }
        turn.map_or(Ok(()), Turn::take).map_err(NoAnswer::KindPaused)?;
        let request = request.build()?;
        let url = request.url().clone();
        // Right before it is sent: a process may have been stopped while it waited.
        if run::is_over() {
            return Err(NoAnswer::TooLate);
        }
        let begun = Instant::now();
        let answered = self.http.execute(request).await;
        let status = answered.as_ref().ok().map(reqwest::Response::status);
        metrics::vendor_answered(self.name, status, begun.elapsed());
        let mut response = answered?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(NoAnswer::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        run::answered(&url, status);
        Ok(Answer { vendor: self.name, status, retry_after: retry_after(&headers), headers, body })
    }
}

/// Why there is no answer.
enum NoAnswer {
    Unsendable(reqwest::Error),
    Broken(reqwest::Error),
    Late(reqwest::Error),
    TooLate,
    Paused(Duration),
    KindPaused(Duration),
    TooLarge,
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        match error {
            error if error.is_builder() => Self::Unsendable(error),
            error if error.is_timeout() => Self::Late(error),
            error => Self::Broken(error),
        }
    }
}
