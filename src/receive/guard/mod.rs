//! 1. May this request speak to us?
//!
//! [`Verified`] is the only way to a request's body: address, credential, size and signature are checked before a
//! handler sees a byte. Next on the way: [`after_call`](super::after_call).

mod address;
mod body;
pub(crate) mod credential;
pub(crate) mod failures;
mod headers;
mod previous;
mod signature;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, FromRef, FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use tokio::time::Instant;

use super::{
    memory::{MemoryBudget, Reserved},
    store::PATIENCE,
};
use crate::{
    config::{ConfigError, WebhookConfig},
    error::Rejection,
    rotation::{Live, Part},
};
use address::Addresses;
pub use address::Refused;
use credential::Credentials;
use failures::Failures;
use signature::Signatures;

/// What a request must show before it is heard.
pub struct Guard {
    addresses: Addresses,
    token_header: HeaderName,
    secrets: Live<Secrets>,
    failures: Failures,
    max_body: usize,
    memory: MemoryBudget,
}

/// A header with one of these words in its name carries a credential: Authorization, Cookie, X-Api-Key, X-Auth-Token,
/// CF-Access-Client-Secret and their like.
const TELLING: [&str; 8] = ["auth", "cookie", "credential", "key", "password", "secret", "session", "token"];

/// What goes by the secrets in force.
struct Secrets {
    credentials: Credentials,
    signatures: Signatures,
}

impl Secrets {
    fn new(config: &WebhookConfig) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self { credentials: Credentials::new(config)?, signatures: Signatures::new(config)? }))
    }
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
            token_header: config.token_header.clone(),
            secrets: Live::new(Secrets::new(config)?),
            failures: Failures::new(config.failed_auth_limit),
            max_body: config.max_body,
            memory: MemoryBudget::new(config.max_body),
        })
    }

    /// What goes by the secrets.
    #[must_use]
    pub fn part(&self) -> Part {
        self.secrets.part(|config| Secrets::new(&config.webhook))
    }

    /// The request of an address that may deliver, once all else is verified.
    async fn read(&self, client: IpAddr, headers: HeaderMap, body: Body) -> Result<Verified, Rejection> {
        // One request is judged by one set of them, whatever is rotated meanwhile.
        let secrets = self.secrets.now();
        secrets.credentials.check(&headers).map_err(|rejection| self.failures.count(client, rejection))?;
        if headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
            return Err(Rejection::EncodedBody);
        }
        // It gives back the body's memory at the end, once the event has its own.
        let (body, _memory) = body::read(body, self.max_body, &self.memory).await?;
        let deadline = Instant::now() + PATIENCE;
        secrets
            .signatures
            .check(&headers, &body)
            .map_err(|rejection| self.failures.count(client, rejection))?;
        let memory = self.memory.for_event(&body, deadline).await.ok_or(Rejection::NoMemory)?;
        Ok(Verified { client, headers, body, deadline, memory })
    }

    /// The headers of an admitted request that are worth keeping: all but those that carry a secret, ours or that of a proxy
    /// or tunnel on the way.
    pub fn without_credentials<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> {
        let secrets = self.secrets.now();
        headers.iter().filter(move |(name, value)| {
            let telling = TELLING.iter().any(|word| name.as_str().contains(word));
            !telling && **name != self.token_header && !secrets.credentials.hold(value.as_bytes())
        })
    }
}

/// A request that passed the guard.
pub struct Verified {
    /// Whose it is.
    pub client: IpAddr,
    /// Its headers, credentials included.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
    /// When the answer must be out.
    pub deadline: Instant,
    /// The memory that its event may take.
    pub memory: Reserved,
}

impl<S> FromRequest<S> for Verified
where
    S: Send + Sync,
    Arc<Guard>: FromRef<S>,
{
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let guard = Arc::<Guard>::from_ref(state);
        let (parts, body) = request.into_parts();
        let ConnectInfo(peer) =
            parts.extensions.get::<ConnectInfo<SocketAddr>>().expect("the server adds the peer");
        let client = guard.addresses.admit(peer.ip().to_canonical(), &parts.headers)?;
        guard.read(client, parts.headers, body).await.map_err(|why| Refused { client, why })
    }
}
