//! May this request speak to us?
//!
//! [`Guard::admit`] and [`Guard::admit_by`] are the only ways to a request's body: address, credential, size and signature are
//! checked before a handler sees a byte.

pub(crate) mod address;
mod body;
pub(crate) mod credential;
pub(crate) mod failures;
mod headers;
pub(crate) mod memory;
mod previous;
mod signature;
mod slip;

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    ops::Range,
    sync::Arc,
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use chrono::{DateTime, Utc};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    answer::{Refused, Rejection},
    call::Call,
    config::{ConfigError, WebhookConfig},
    platform::Platform,
    presence::{InForce, Uses},
    rotation::{Live, Part},
    trace::TraceId,
};
use address::Addresses;
use credential::Credentials;
use failures::Failures;
use memory::{MemoryBudget, Reserved};
use signature::Signatures;

/// How long a request that has arrived waits for memory and its commit: an answer within 1 s leaves the platform time to try
/// again.
const PATIENCE: Duration = Duration::from_millis(900);

/// How many wrong signatures are explained in a second, as many as have a line of their own in the log; and the largest body of
/// one, in bytes. It takes some forty digests of the body, and the documentation says that one has 1 to 3 KB.
const EXPLANATIONS_A_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const LARGEST_EXPLAINED: usize = 16 << 10;

/// What a request must show before it is heard.
pub struct Guard {
    addresses: Addresses,
    token_header: HeaderName,
    secrets: Live<Secrets>,
    uses: Uses,
    failures: Failures,
    max_body: usize,
    memory: MemoryBudget,
    explanations: DefaultDirectRateLimiter,
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
            uses: Uses::default(),
            failures: Failures::new(config.failed_auth_limit),
            max_body: config.max_body,
            memory: MemoryBudget::new(config.max_body),
            explanations: RateLimiter::direct(Quota::per_second(EXPLANATIONS_A_SECOND)),
        })
    }

    /// What goes by the secrets.
    #[must_use]
    pub fn part(&self) -> Part {
        self.secrets.part(|config| Secrets::new(&config.webhook))
    }

    /// The tokens that admit a delivery.
    pub(crate) fn in_force(&self) -> InForce {
        self.secrets.now().credentials.in_force().clone()
    }

    /// When each of them last did.
    pub(crate) fn uses(&self) -> &Uses {
        &self.uses
    }

    /// The request, once its address, its credential, its size and its signature are verified.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the row of the table of answers.
    ///
    /// # Panics
    ///
    /// Where the server doesn't add the peer's address to its requests, as [`serve`](crate::serve) does.
    pub async fn admit(&self, request: Request) -> Result<Verified, Refused> {
        self.pass(request, None).await
    }

    /// The same for a platform whose token stands in the body, where `token` finds it: it is compared once the body is read,
    /// and blanked before anything else sees it. Basic Auth admits as ever.
    ///
    /// # Errors
    ///
    /// Those of [`admit`](Self::admit).
    pub async fn admit_by(&self, request: Request, token: TokenOf) -> Result<Verified, Refused> {
        self.pass(request, Some(token)).await
    }

    async fn pass(&self, request: Request, token: Option<TokenOf>) -> Result<Verified, Refused> {
        let (parts, body) = request.into_parts();
        let ConnectInfo(peer) =
            parts.extensions.get::<ConnectInfo<SocketAddr>>().expect("the server adds the peer");
        let peer = peer.ip().to_canonical();
        let admitted = self.addresses.admit(peer, &parts.headers);
        let client = admitted.map_err(|refused| match *refused.why {
            // To whoever sends it, it is the same answer.
            Rejection::AddressNotAllowed if token.is_none() && self.knows_secret(&parts.headers) => {
                Refused::new(refused.client, Rejection::Moved)
            }
            _ => refused,
        })?;
        self.read(client, &parts.headers, body, token).await.map_err(|why| Refused::new(client, why))
    }

    /// What its credential and its signature are worth, each for itself. Nothing is admitted by it, and no failure counted.
    pub(crate) fn judge(&self, headers: &HeaderMap, body: &[u8]) -> [Result<(), Rejection>; 2] {
        let secrets = self.secrets.now();
        let signature = secrets.signatures.check(headers, body).map_err(|why| match why {
            Rejection::WrongSignature { .. } => {
                Rejection::WrongSignature { slip: secrets.signatures.explain(headers, body) }
            }
            why => why,
        });
        [secrets.credentials.check(headers).map(drop), signature]
    }

    fn knows_secret(&self, headers: &HeaderMap) -> bool {
        self.secrets.now().credentials.know(headers)
    }

    /// The request of an address that may deliver, once all else is verified.
    async fn read(
        &self,
        client: IpAddr,
        headers: &HeaderMap,
        body: Body,
        token: Option<TokenOf>,
    ) -> Result<Verified, Rejection> {
        // One request is judged by one set of them, whatever is rotated meanwhile.
        let secrets = self.secrets.now();
        let counted = |rejection| self.failures.count(client, rejection);
        let mut by = match token {
            None => secrets.credentials.check(headers).map_err(counted)?,
            Some(_) => None,
        };
        if headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
            return Err(Rejection::EncodedBody);
        }
        // It gives back the body's memory at the end, once the event has its own.
        let (mut body, _memory) = body::read(body, self.max_body, &self.memory).await?;
        let (received_at, deadline) = (Utc::now(), Instant::now() + PATIENCE);
        let range = token.and_then(|token| token(&body));
        if token.is_some() {
            let sent = range.clone().and_then(|range| body.get(range));
            by = secrets.credentials.check_with(sent, headers).map_err(counted)?;
        }
        secrets.signatures.check(headers, &body).map_err(counted).map_err(|why| match why {
            // Not of one that is counted out, nor of more than have a line in the log.
            Rejection::WrongSignature { .. }
                if body.len() <= LARGEST_EXPLAINED && self.explanations.check().is_ok() =>
            {
                Rejection::WrongSignature { slip: secrets.signatures.explain(headers, &body) }
            }
            why => why,
        })?;
        if let Some(token) = by {
            self.uses.note(token);
        }
        if let Some(range) = range {
            body = blanked(&body, range);
        }
        let memory = self.memory.for_event(&body, deadline).await.ok_or(Rejection::NoMemory)?;
        let trace_id = TraceId::of(headers);
        let headers = self.without_credentials(headers, &secrets);
        Ok(Verified { client, headers, trace_id, body, received_at, deadline, memory })
    }

    /// The headers of an admitted request that are worth keeping, as a list of pairs, so that their order and repeats are
    /// kept: all but those that carry a secret, ours or that of a proxy or tunnel on the way.
    fn without_credentials(&self, headers: &HeaderMap, secrets: &Secrets) -> Value {
        let harmless = |(name, value): &(&HeaderName, &HeaderValue)| {
            let telling = TELLING.iter().any(|word| name.as_str().contains(word));
            !telling && **name != self.token_header && !secrets.credentials.hold(value.as_bytes())
        };
        let pair = |(name, value): (&HeaderName, &HeaderValue)| {
            json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
        };
        headers.iter().filter(harmless).map(pair).collect()
    }
}

/// Where a body holds the platform's token, as a range of its bytes.
pub type TokenOf = fn(&[u8]) -> Option<Range<usize>>;

/// The body with stars in place of these bytes.
fn blanked(body: &[u8], range: Range<usize>) -> Bytes {
    let mut body = body.to_vec();
    if let Some(secret) = body.get_mut(range) {
        secret.fill(b'*');
    }
    body.into()
}

/// A request that passed the guard.
#[derive(Debug)]
pub struct Verified {
    /// Whose it is.
    pub client: IpAddr,
    /// Its headers, without credentials, as `[[name, value], ..]`.
    pub headers: Value,
    /// The trace that it is part of.
    pub trace_id: Option<TraceId>,
    /// Its whole body.
    pub body: Bytes,
    /// When it was whole.
    pub received_at: DateTime<Utc>,
    /// When the answer must be out.
    pub deadline: Instant,
    /// The memory that its event may take, given back when it is written or dropped.
    pub memory: Reserved,
}

impl Verified {
    /// The call that it tells of.
    ///
    /// # Errors
    ///
    /// Its body is no event of this platform's.
    pub fn read(&self, platform: &Platform) -> Result<Call, Refused> {
        platform.read(&self.body, self.received_at).map_err(|error| Refused::new(self.client, error))
    }
}
