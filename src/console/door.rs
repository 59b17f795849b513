//! Who may look: whoever knows `CONSOLE_PASSWORD`, under any user name. Every answer leaves with the same headers.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::SecretString;

use crate::receive::guard::credential::{Match, Secret, basic};

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

#[derive(Clone)]
pub(super) struct Door(Arc<Secret>);

impl Door {
    pub(super) fn new(password: &SecretString) -> Self {
        Self(Arc::new(Secret::of(password, None)))
    }

    /// `None` where no password was sent.
    fn opens(&self, headers: &HeaderMap) -> Option<bool> {
        let sent = basic(headers.get(header::AUTHORIZATION)?.as_bytes())?;
        let colon = sent.iter().position(|byte| *byte == b':')?;
        Some(matches!(self.0.is(&sent[colon + 1..]), Match::Current))
    }
}

/// Lets a request in, or asks for the password.
pub(super) async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = match door.opens(request.headers()) {
        Some(true) => next.run(request).await,
        opens => {
            if opens.is_some() {
                let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
                let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_string());
                tracing::warn!(peer, "a wrong password for the console");
            }
            let challenge =
                [(header::WWW_AUTHENTICATE, "Basic realm=\"Aftercall console\", charset=\"UTF-8\"")];
            (StatusCode::UNAUTHORIZED, challenge, "The password is CONSOLE_PASSWORD, under any user name.\n")
                .into_response()
        }
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
