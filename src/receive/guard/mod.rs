//! 1. May this request speak to us?
//!
//! [`Verified`] is the only way to a request's body: address, credential, size and signature are checked before a
//! handler sees a byte. Next on the way: [`event`](super::event).

mod address;
mod body;
pub(crate) mod credential;
pub(crate) mod failures;
mod signature;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRef, FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use tokio::time::Instant;

use super::{
    room::{Room, Taken},
    store::PATIENCE,
};
use crate::{
    config::{ConfigError, WebhookConfig},
    error::Rejection,
};
use address::Addresses;
use credential::Credentials;
use failures::Failures;
use signature::Signatures;

/// What a request must show before it is heard.
pub struct Guard {
    addresses: Addresses,
    credentials: Credentials,
    failures: Failures,
    signatures: Signatures,
    max_body: usize,
    room: Room,
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
            room: Room::new(config.max_body),
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

/// A request that passed the guard.
pub struct Verified {
    /// Its headers, credentials included.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
    /// When the answer must be out.
    pub deadline: Instant,
    /// The memory that its event may take.
    pub room: Taken,
}

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
        if headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
            return Err(Rejection::EncodedBody);
        }
        // It gives back the body's room at the end, once the event has its own.
        let (body, _room) = body::read(body, guard.max_body, &guard.room).await?;
        let deadline = Instant::now() + PATIENCE;
        guard
            .signatures
            .check(&headers, &body)
            .map_err(|rejection| guard.failures.count(client, rejection))?;
        let room = guard.room.for_event(&body, deadline).await.ok_or(Rejection::NoRoom)?;
        Ok(Self { headers, body, deadline, room })
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
