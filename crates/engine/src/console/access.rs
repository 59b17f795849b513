//! Who may look, and who may change something. Every answer leaves with the same headers.
//!
//! Whoever has logged in with `CONSOLE_PASSWORD` may do both. A script may look with the password as Basic Auth, under any
//! user name; it changes nothing, because a browser would send that along with anybody's form.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    attempts::Attempts,
    cookie,
    hosts::{Hosts, is_from_its_own_page},
    login,
    page::message,
    session::{Csrf, Sessions},
};
use crate::{
    config::{Config, Networks},
    guard::{
        address,
        credential::{Match, Secret, basic},
    },
    rotation::Live,
};

/// How long a line in the log that somebody looks holds for the same address.
const TOLD_FOR: Duration = Duration::from_mins(10);

/// A page that looks for news by itself says so with this header: that is no use of a session.
const LOOKS_AGAIN: HeaderName = HeaderName::from_static("x-looks-again");

/// No script but ours, no frame, no form but to here, nothing from elsewhere; nothing is kept by a browser or told to
/// another site.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer`, a browser would not say where our own forms come from.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) struct Access {
    password: Live<Secret>,
    hosts: Hosts,
    proxies: Networks,
    pub(super) attempts: Attempts,
    pub(super) sessions: Sessions,
}

/// Who asks.
#[derive(Clone)]
pub(super) struct Visitor {
    /// The nearest address that is no trusted proxy.
    pub(super) client: IpAddr,
    /// Whether a trusted proxy says that it came by HTTPS.
    pub(super) tls: bool,
    /// What a form of its session holds; none where it has no session.
    pub(super) csrf: Option<Csrf>,
}

impl Access {
    pub(super) fn new(config: &Config, password: Live<Secret>) -> Self {
        Self {
            hosts: Hosts::new(&config.console_hosts),
            proxies: config.webhook.trusted_proxies.clone(),
            attempts: Attempts::new(),
            sessions: Sessions::new(password.clone()),
            password,
        }
    }

    fn visitor(&self, request: &Request) -> Visitor {
        let ConnectInfo(peer) =
            request.extensions().get::<ConnectInfo<SocketAddr>>().expect("the server adds the peer");
        let (peer, headers) = (peer.ip().to_canonical(), request.headers());
        let forwarded = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
        let tls = forwarded && self.proxies.contain(peer);
        let client = address::client(&self.proxies, peer, headers).unwrap_or(peer);
        let used = !headers.contains_key(LOOKS_AGAIN);
        let csrf = cookie::sent(headers, tls).and_then(|cookie| self.sessions.of(cookie, used));
        Visitor { client, tls, csrf }
    }

    /// Whether the password was sent as Basic Auth; `None` where nothing was.
    fn opens(&self, headers: &HeaderMap) -> Option<bool> {
        let sent = basic(headers.get(header::AUTHORIZATION)?.as_bytes())?;
        let colon = sent.iter().position(|byte| *byte == b':')?;
        Some(matches!(self.password.now().is(&sent[colon + 1..]), Match::Current))
    }

    /// The answer to who has no session and may not look either.
    fn refuse(&self, client: IpAddr, request: &Request) -> Option<Response> {
        if self.attempts.refuses(client) {
            return Some(login::too_many());
        }
        match self.opens(request.headers()) {
            Some(true) => {
                if self.attempts.is_news(client, TOLD_FOR) {
                    tracing::info!(%client, "the console is opened");
                }
                None
            }
            Some(false) if self.attempts.failed(client) => Some(login::too_many()),
            Some(false) | None => Some(login::ask("", request.uri())),
        }
    }
}

/// Lets a request in, or asks for the password.
pub(super) async fn pass(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let visitor = access.visitor(&request);
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    let open = ["/login", "/style.css"].contains(&request.uri().path());
    let refusal = if !access.hosts.include(request.uri(), request.headers()) {
        let why = "The console does not answer under this name: ask for it by address, or put the name into CONSOLE_HOSTS.\n";
        Some((StatusCode::MISDIRECTED_REQUEST, why).into_response())
    } else if !looks && !is_from_its_own_page(request.uri(), request.headers()) {
        tracing::warn!(client = %visitor.client, "a form of another page was sent to the console, and is refused");
        Some(message(
            StatusCode::FORBIDDEN,
            "Not from here",
            "This did not come from a page of this console. Nothing was changed.",
        ))
    } else if visitor.csrf.is_some() || open {
        None
    } else if looks {
        access.refuse(visitor.client, &request)
    } else {
        let why = "Your session has ended, and nothing was changed. Log in, and do it again.";
        // The page that the form is on: nobody can go to where it is sent.
        let page =
            request.headers().get(header::REFERER).and_then(|page| Uri::try_from(page.as_bytes()).ok());
        Some(login::ask(why, &page.unwrap_or_default()))
    };
    let mut response = match refusal {
        Some(refusal) => refusal,
        None => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
