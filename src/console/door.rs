//! Who may look: whoever knows `CONSOLE_PASSWORD`, under any user name. Every answer leaves with the same headers.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::SecretString;

use crate::receive::guard::{
    credential::{Match, Secret, basic},
    failures::Failures,
};

/// Wrong passwords a second from one address before the answer is 429; the right one is never kept waiting.
const WRONG_PASSWORDS: u32 = 10;

/// No script, no frame, no form, nothing from elsewhere; nothing is kept by a browser or told to another site.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) struct Door {
    password: Secret,
    failures: Failures,
}

impl Door {
    pub(super) fn new(password: &SecretString) -> Self {
        Self { password: Secret::of(password, None), failures: Failures::new(WRONG_PASSWORDS) }
    }

    /// `None` where no password was sent.
    fn opens(&self, headers: &HeaderMap) -> Option<bool> {
        let sent = basic(headers.get(header::AUTHORIZATION)?.as_bytes())?;
        let colon = sent.iter().position(|byte| *byte == b':')?;
        Some(matches!(self.password.is(&sent[colon + 1..]), Match::Current))
    }

    fn refuse(&self, request: &Request) -> Response {
        let ConnectInfo(peer) =
            request.extensions().get::<ConnectInfo<SocketAddr>>().expect("the server adds the peer");
        let peer = peer.ip();
        if self.failures.too_many(peer) {
            let later = [(header::RETRY_AFTER, "1")];
            return (StatusCode::TOO_MANY_REQUESTS, later, "Too many wrong passwords: wait a second.\n")
                .into_response();
        }
        tracing::warn!(%peer, "a wrong password for the console");
        ask()
    }
}

fn ask() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"Aftercall console\", charset=\"UTF-8\"")];
    (StatusCode::UNAUTHORIZED, challenge, "The password is CONSOLE_PASSWORD, under any user name.\n")
        .into_response()
}

/// Lets a request in, or asks for the password.
pub(super) async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let mut response = match door.opens(request.headers()) {
        Some(true) => next.run(request).await,
        Some(false) => door.refuse(&request),
        None => ask(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
