//! The table of answers: why a delivery is refused, its status, and what the sender and people are told.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::StoreError;
use crate::fields::Malformed;

/// Why a request was not heard. The platform retries everything but 2xx, up to six times. (Documentation, "Expected
/// responses" and "Retries".)
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The client's address is not allowed.
    #[error("this address may not deliver here: WEBHOOK_ALLOWED_IPS doesn't list it")]
    AddressNotAllowed,
    /// The same, of a client with the right secret: it may be the platform, from another address than before.
    #[error("{}", Self::AddressNotAllowed)]
    Moved,
    /// A trusted proxy doesn't say for whom it forwards.
    #[error("the proxy's X-Forwarded-For names no address")]
    NoAddress,
    /// A proxy that nobody named forwards for somebody.
    #[error("this request was forwarded: TRUSTED_PROXIES must list the proxy's address")]
    UnknownProxy,
    /// No credential at all. The documentation's table says 403 where its samples say 401; the table is the contract.
    #[error(
        "no credential: send the secret header or Basic Auth as configured in the platform's webhook settings"
    )]
    NoCredential,
    /// A signature is required and there is none.
    #[error("no signature: switch on HMAC signing in the platform's webhook settings")]
    NoSignature,
    /// The token or password is wrong.
    #[error("wrong credential: compare the secret here with the one in the platform's webhook settings")]
    WrongCredential {
        /// Whether Basic Auth is a way in.
        basic: bool,
    },
    /// The signature doesn't fit the body.
    #[error(
        "wrong signature: it must be the HMAC-SHA256 of the raw body under the shared secret, in hex or base64"
    )]
    WrongSignature {
        /// What was done in place of that, as far as it can be told; never part of the answer.
        slip: Option<String>,
    },
    /// A header that decides was sent twice.
    #[error("the header {0} was sent more than once")]
    Repeated(HeaderName),
    /// Too many failed credentials from this address.
    #[error("too many failed credentials from this address: wait a second")]
    TooManyFailures,
    /// A compressed body.
    #[error("the body has a content-encoding: send it plain")]
    EncodedBody,
    /// The body is larger than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// `WEBHOOK_MAX_BODY`, in bytes.
        limit: usize,
    },
    /// The body broke off or its framing is wrong.
    #[error("the body broke off before its end")]
    BrokenBody,
    /// The body did not arrive in time.
    #[error("the body did not arrive within 5 seconds")]
    Slow,
    /// The body is no event.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// So many large events are in hand that there is no memory for one more.
    #[error("too many events are in hand: send it again")]
    NoMemory,
    /// The event could not be stored now.
    #[error("the event can't be stored now: send it again")]
    NotStored(#[from] StoreError),
    /// Another path. The right one is not told to whoever asks.
    #[error("nothing here: compare the path with WEBHOOK_PATH of the receiver")]
    NotFound,
    /// Another method than POST.
    #[error("deliver events with POST")]
    NotPost,
    /// `WEBHOOK_GONE`.
    #[error("this webhook is closed: stop sending")]
    Gone,
}

impl Rejection {
    /// Every [`reason`](Self::reason).
    pub const REASONS: [&str; 20] = [
        "address_not_allowed",
        "platform_moved",
        "no_address",
        "unknown_proxy",
        "no_credential",
        "no_signature",
        "wrong_credential",
        "wrong_signature",
        "repeated_header",
        "too_many_failures",
        "encoded_body",
        "too_large",
        "broken_body",
        "slow",
        "malformed",
        "no_memory",
        "not_stored",
        "not_found",
        "not_post",
        "gone",
    ];

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BrokenBody | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::WrongCredential { .. } | Self::WrongSignature { .. } | Self::Repeated(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::AddressNotAllowed
            | Self::Moved
            | Self::NoAddress
            | Self::UnknownProxy
            | Self::NoCredential
            | Self::NoSignature => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Gone => StatusCode::GONE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyFailures => StatusCode::TOO_MANY_REQUESTS,
            Self::NoMemory | Self::NotStored(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What people are told of it, in the log and by alerts: more than the sender.
    #[must_use]
    pub fn for_people(&self) -> String {
        match self {
            Self::WrongSignature { slip: Some(slip) } => format!("{self}: {slip}"),
            Self::Moved => {
                format!("{self}. It has the right secret: if the platform has moved, add its address")
            }
            _ => self.to_string(),
        }
    }

    /// A word for it without any text of the sender's, by which refusals are counted.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "address_not_allowed",
            Self::Moved => "platform_moved",
            Self::NoAddress => "no_address",
            Self::UnknownProxy => "unknown_proxy",
            Self::NoCredential => "no_credential",
            Self::NoSignature => "no_signature",
            Self::WrongCredential { .. } => "wrong_credential",
            Self::WrongSignature { .. } => "wrong_signature",
            Self::Repeated(_) => "repeated_header",
            Self::TooManyFailures => "too_many_failures",
            Self::EncodedBody => "encoded_body",
            Self::TooLarge { .. } => "too_large",
            Self::BrokenBody => "broken_body",
            Self::Slow => "slow",
            Self::Malformed(_) => "malformed",
            Self::NoMemory => "no_memory",
            Self::NotStored(_) => "not_stored",
            Self::NotFound => "not_found",
            Self::NotPost => "not_post",
            Self::Gone => "gone",
        }
    }

    fn has_read_the_body(&self) -> bool {
        matches!(
            self,
            Self::NoSignature | Self::WrongSignature { .. } | Self::Malformed(_) | Self::NotStored(_)
        )
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::WrongCredential { basic: true } => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"after-call\"")))
            }
            Self::TooManyFailures | Self::NoMemory | Self::NotStored(_) => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            Self::NotPost => Some((header::ALLOW, HeaderValue::from_static("POST"))),
            Self::EncodedBody => Some((header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            _ => None,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.answer()
    }
}

impl Rejection {
    pub(super) fn answer(&self) -> Response {
        let body = Json(json!({ "status": "rejected", "error": self.to_string() }));
        // The rest of an unread body stands in the way of a next request: the sender must not try one.
        let close =
            (!self.has_read_the_body()).then_some([(header::CONNECTION, HeaderValue::from_static("close"))]);
        (self.status(), self.header().map(|header| [header]), close, body).into_response()
    }
}
