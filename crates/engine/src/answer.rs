//! What becomes of a delivery, and what the sender is told; [`Rejection`] has the table of what is refused.

mod rejection;

use std::{fmt, net::IpAddr, sync::Arc};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::json;

pub use rejection::Rejection;

/// A delivery whose event is stored: 200.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Whose it is.
    pub client: IpAddr,
    /// The event's id.
    pub event_id: String,
    /// How the call ended, in a word by which calls are counted; none of an event that completes no call.
    pub ending: Option<&'static str>,
    /// What became of it.
    pub stored: Stored,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It is new, and its jobs are enqueued.
    New,
    /// It was here before; nothing was changed.
    Duplicate {
        /// When the first delivery came.
        of: DateTime<Utc>,
        /// Whether the first delivery had the same body, or one that was deleted since.
        same_body: bool,
    },
}

impl Stored {
    /// The word in the answer.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::New => "stored",
            Self::Duplicate { .. } => "duplicate",
        }
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::New => f.write_str("stored"),
            Self::Duplicate { of, .. } => write!(f, "duplicate of {}", of.format("%F %T UTC")),
        }
    }
}

/// A delivery that was refused, each for a row of the table.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Whose it is: the address behind trusted proxies, as far as they tell it.
    pub client: IpAddr,
    /// Why.
    pub why: Arc<Rejection>,
}

impl Refused {
    /// A delivery of this address, refused for this.
    pub fn new(client: IpAddr, why: impl Into<Rejection>) -> Self {
        Self { client, why: Arc::new(why.into()) }
    }
}

/// Why an event could not be stored now.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Too many wait.
    #[error("too many events wait for the database")]
    Full,
    /// The database took too long.
    #[error("the database did not answer in time")]
    Late,
    /// The database refused, or is away; the log says why.
    #[error("the database refused")]
    Refused,
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let mut response =
            Json(json!({ "status": self.stored.word(), "event_id": self.event_id })).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.why.answer();
        response.extensions_mut().insert(self);
        response
    }
}
