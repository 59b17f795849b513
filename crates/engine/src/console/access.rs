//! Who may look: whoever knows `CONSOLE_PASSWORD`, under any user name. Every answer leaves with the same headers.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::hosts::Hosts;
use crate::guard::{
    credential::{Match, Secret, basic},
    failures::{Failures, MOST_ADDRESSES},
};
use crate::{rotation::Live, serve::household};

/// Wrong passwords a second from one address. After that nothing it sends is compared for [`REFUSED_FOR`], not even the
/// right one: whoever guesses must not learn which it was.
const WRONG_PASSWORDS: u32 = 10;
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// How long a line in the log that somebody has come in holds for the same address.
const TOLD_FOR: Duration = Duration::from_mins(10);

/// No script, no frame, no form but to here, nothing from elsewhere; nothing is kept by a browser or told to another site.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) struct Access {
    password: Live<Secret>,
    hosts: Hosts,
    failures: Failures,
    /// Who has failed too often.
    refused: Marked,
    /// Whose coming in stands in the log.
    told: Marked,
}

impl Access {
    pub(super) fn new(password: Live<Secret>, hosts: Hosts) -> Self {
        Self {
            password,
            hosts,
            failures: Failures::new(WRONG_PASSWORDS),
            refused: Marked::default(),
            told: Marked::default(),
        }
    }

    /// `None` where no password was sent.
    fn opens(&self, headers: &HeaderMap) -> Option<bool> {
        let sent = basic(headers.get(header::AUTHORIZATION)?.as_bytes())?;
        let colon = sent.iter().position(|byte| *byte == b':')?;
        Some(matches!(self.password.now().is(&sent[colon + 1..]), Match::Current))
    }

    /// The answer to who may not come in.
    fn refuse(&self, peer: IpAddr, headers: &HeaderMap) -> Option<Response> {
        if self.refused.holds(peer) {
            return Some(too_many());
        }
        match self.opens(headers) {
            Some(true) => {
                if !self.told.holds(peer) {
                    self.told.mark(peer, TOLD_FOR);
                    tracing::info!(%peer, "the console is opened");
                }
                None
            }
            Some(false) if self.failures.too_many(peer) => {
                self.refused.mark(peer, REFUSED_FOR);
                tracing::warn!(%peer, "too many wrong passwords for the console: the address is refused for a second");
                Some(too_many())
            }
            Some(false) => {
                tracing::warn!(%peer, "a wrong password for the console");
                Some(ask())
            }
            None => Some(ask()),
        }
    }
}

/// Addresses, and until when something holds for each.
#[derive(Default)]
struct Marked(Mutex<HashMap<IpAddr, Instant>>);

impl Marked {
    fn holds(&self, address: IpAddr) -> bool {
        let marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marked.get(&household(address)).is_some_and(|until| Instant::now() < *until)
    }

    fn mark(&self, address: IpAddr, holds_for: Duration) {
        let mut marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if marked.len() >= MOST_ADDRESSES {
            marked.retain(|_, until| now < *until);
        }
        marked.insert(household(address), now + holds_for);
    }
}

fn too_many() -> Response {
    let later = [(header::RETRY_AFTER, "1")];
    (StatusCode::TOO_MANY_REQUESTS, later, "Too many wrong passwords: wait a second.\n").into_response()
}

fn misdirected() -> Response {
    let why = "The console does not answer under this name: ask for it by address, or put the name into CONSOLE_HOSTS.\n";
    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
}

fn ask() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"console\", charset=\"UTF-8\"")];
    (StatusCode::UNAUTHORIZED, challenge, "The password is CONSOLE_PASSWORD, under any user name.\n")
        .into_response()
}

/// Lets a request in, or asks for the password.
pub(super) async fn pass(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let ConnectInfo(peer) =
        request.extensions().get::<ConnectInfo<SocketAddr>>().expect("the server adds the peer");
    let mut response = if !access.hosts.include(request.uri(), request.headers()) {
        misdirected()
    } else if let Some(refusal) = access.refuse(peer.ip().to_canonical(), request.headers()) {
        refusal
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
