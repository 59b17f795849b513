//! 1. May this request speak to us?
//!
//! [`Verified`] is the only way to a request's body: address, credential, size and signature are checked before a
//! handler sees a byte. Next on the way: [`event`](super::event).

mod address;
pub(crate) mod credential;
mod failures;
mod signature;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, FromRef, FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{
    config::{ConfigError, WebhookConfig},
    error::Rejection,
};
use address::Addresses;
use credential::Credentials;
use failures::Failures;
use signature::Signatures;

/// How long a body may take to arrive; the platform itself gives up after 5 s. (Documentation, "Timeout".)
const BODY_DEADLINE: Duration = Duration::from_secs(5);

/// What a request must show before it is heard.
pub struct Guard {
    addresses: Addresses,
    credentials: Credentials,
    failures: Failures,
    signatures: Signatures,
    max_body: usize,
}

impl Guard {
    /// Makes the guard that the settings describe.
    ///
    /// # Errors
    ///
    /// Settings that would admit everybody without saying so, or nobody at all.
    pub fn new(config: &WebhookConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            addresses: Addresses::new(config),
            credentials: Credentials::new(config)?,
            failures: Failures::new(config.failed_auth_limit),
            signatures: Signatures::new(config)?,
            max_body: config.max_body,
        })
    }

    /// The headers of an admitted request that are worth keeping: all but those that carry a secret.
    pub fn without_credentials<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> {
        let secret = [
            &header::AUTHORIZATION,
            &header::PROXY_AUTHORIZATION,
            &header::COOKIE,
            self.credentials.header(),
        ];
        headers.iter().filter(move |(name, _)| !secret.contains(name))
    }
}

/// A request that passed the guard: its headers and its whole body.
pub struct Verified(pub HeaderMap, pub Bytes);

impl<S> FromRequest<S> for Verified
where
    S: Send + Sync,
    Arc<Guard>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Rejection> {
        let guard = Arc::<Guard>::from_ref(state);
        let (parts, body) = request.into_parts();
        let ConnectInfo(peer) =
            parts.extensions.get::<ConnectInfo<SocketAddr>>().expect("the server adds the peer");
        let headers = parts.headers;

        let client = guard.addresses.admit(peer.ip(), &headers)?;
        guard.credentials.check(&headers).map_err(|rejection| guard.failures.count(client, rejection))?;
        if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Rejection::EncodedBody);
        }
        let body = read(body, guard.max_body).await?;
        guard
            .signatures
            .check(&headers, &body)
            .map_err(|rejection| guard.failures.count(client, rejection))?;
        Ok(Self(headers, body))
    }
}

async fn read(body: Body, max_body: usize) -> Result<Bytes, Rejection> {
    match tokio::time::timeout(BODY_DEADLINE, Limited::new(body, max_body).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Rejection::TooLarge { limit: max_body }),
        Ok(Err(_)) => Err(Rejection::BrokenBody),
        Err(_) => Err(Rejection::Slow),
    }
}

/// The one value of a header; sent twice, it is ambiguous, and a proxy may have looked at the other.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
        _ => Err(Rejection::Repeated(name.clone())),
    }
}
