//! `/login` and `/logout`.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    access::{Access, Visitor},
    change::Change,
    cookie,
    page::{message, render},
};

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Entered {
    password: String,
    /// The page that was asked for.
    #[serde(default)]
    next: String,
}

/// What the link to the form says.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "console/login.html")]
struct Login<'a> {
    why: &'a str,
    next: &'a str,
}

/// The form, for who may only look so far.
pub(super) async fn form(Query(Asked { next }): Query<Asked>) -> Response {
    show(StatusCode::OK, "", own_page(&next))
}

/// Begins a session.
pub(super) async fn log_in(
    State(access): State<Arc<Access>>,
    Extension(visitor): Extension<Visitor>,
    Form(Entered { password, next }): Form<Entered>,
) -> Response {
    let Visitor { client, tls, .. } = visitor;
    if access.attempts.refuses(client) {
        return too_many();
    }
    let next = own_page(&next);
    match access.sessions.begin(password.as_bytes()) {
        Ok(Some(session)) => {
            tracing::info!(%client, "somebody logged in at the console");
            ([(header::SET_COOKIE, cookie::kept(&session, tls))], Redirect::to(next)).into_response()
        }
        Ok(None) if access.attempts.failed(client) => too_many(),
        Ok(None) => show(StatusCode::UNAUTHORIZED, "This is not the password.", next),
        Err(error) => {
            tracing::error!(%error, "no session can begin: the system has no randomness");
            message(StatusCode::SERVICE_UNAVAILABLE, "Not now", "No session can begin; the log says more.")
        }
    }
}

/// Ends the session.
pub(super) async fn log_out(State(access): State<Arc<Access>>, change: Change) -> Response {
    if let Some(session) = &change.cookie {
        access.sessions.end(session);
    }
    tracing::info!(client = %change.client, "somebody logged out of the console");
    ([(header::SET_COOKIE, cookie::forgotten(change.tls))], Redirect::to("/login")).into_response()
}

/// The form in place of the page that was asked for.
pub(super) fn ask(why: &str, page: &Uri) -> Response {
    show(StatusCode::UNAUTHORIZED, why, page.path_and_query().map_or("/", |page| own_page(page.as_str())))
}

pub(super) fn too_many() -> Response {
    let later = [(header::RETRY_AFTER, "1")];
    (StatusCode::TOO_MANY_REQUESTS, later, "Too many wrong passwords: wait a second.\n").into_response()
}

fn show(status: StatusCode, why: &str, next: &str) -> Response {
    (status, render(&Login { why, next })).into_response()
}

/// A page of this console: whoever made the link must not choose another site to go to.
fn own_page(next: &str) -> &str {
    let own =
        next.starts_with('/') && !next[1..].starts_with(['/', '\\']) && next.bytes().all(|byte| byte > b' ');
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn after_a_login_only_a_page_of_this_console_follows() {
        for own in ["/", "/calls?q=1&show=x", "/calls/evt%2F1"] {
            assert_eq!(own_page(own), own);
        }
        for other in [
            "",
            "//x.example",
            "/\\x.example",
            "https://x.example",
            "x",
            "/\t/x.example",
            "/\r\nSet-Cookie: a",
        ] {
            assert_eq!(own_page(other), "/", "{other:?}");
        }
    }
}
