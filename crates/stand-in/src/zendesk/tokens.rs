//! Tokens: what they are given for, and what a request must bring one for.
//!
//! They live in memory: after a restart every caller has to ask for a new one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Value, json};

use super::attributes;
use super::refusal;
use super::{Options, Zendesk};
use crate::lock;
use crate::random::random;
use crate::refusal::Refusal;
use crate::schema::{Rule, Schema};

static REQUEST: Schema = Schema::new(include_str!("schemas/requests.json"), "token");

/// The tokens given so far that are still good.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Token>>);

struct Token {
    scope: String,
    expires: Instant,
}

impl Tokens {
    pub(super) fn revoke(&self) {
        lock(&self.0).clear();
    }

    fn give(&self, scope: &str, options: &Options) -> String {
        let token = format!("{:016x}{:016x}", random(), random());
        let now = Instant::now();
        let mut given = lock(&self.0);
        given.retain(|_, token| token.expires > now);
        given.insert(token.clone(), Token { scope: scope.into(), expires: now + options.token_lifetime });
        token
    }

    /// Scopes are `read` and `write`, each for everything or, after a colon, for one kind of record (OAuth
    /// grant reference). The kinds that are listed there have no uploads among them: these need the one for everything.
    fn check(&self, token: &str, method: &Method, path: &str) -> Result<(), Refusal> {
        let given = lock(&self.0);
        let token = given.get(token).filter(|token| token.expires > Instant::now());
        let token = token.ok_or_else(refusal::invalid_token)?;
        let all = if method.is_safe() { "read" } else { "write" };
        let kind = ["tickets", "users"]
            .iter()
            .find(|kind| path.strip_prefix("/api/v2/").is_some_and(|path| path.starts_with(**kind)));
        let of_kind = kind.map(|kind| format!("{kind}:{all}"));
        if token.scope.split(' ').any(|scope| scope == all || of_kind.as_deref() == Some(scope)) {
            Ok(())
        } else {
            Err(refusal::insufficient_scope())
        }
    }
}

/// `POST /oauth/tokens`
///
/// Of the grants, the one for a program without a user: it comes without a refresh token, and its tokens
/// are good for 30 minutes (guide to moving from API tokens to OAuth). What is wrong with a request is told by OAuth's own names
/// (RFC 6749).
pub(super) async fn give(
    State(zendesk): State<Zendesk>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let asked = attributes::body(&headers, &body)?;
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    if let Some(wrong) = REQUEST.check(&asked).first() {
        let error = match (wrong.at.as_str(), wrong.rule) {
            ("/grant_type", Rule::Value) => "unsupported_grant_type",
            ("/scope", Rule::Value) => "invalid_scope",
            _ => "invalid_request",
        };
        let description = format!("{} {}", wrong.at.trim_start_matches('/'), wrong.why);
        return Err(refusal::oauth(StatusCode::BAD_REQUEST, error, &description));
    }
    let options = &zendesk.options;
    if text("client_id") != options.client_id || text("client_secret") != options.client_secret {
        return Err(refusal::invalid_client());
    }
    let scope = text("scope");
    Ok(Json(json!({
        "access_token": zendesk.tokens.give(scope, options),
        "token_type": "bearer",
        "scope": scope,
        "expires_in": options.token_lifetime.as_secs(),
    })))
}

/// Lets those through who have a token for what they are about to do.
pub(super) async fn admit(
    State(zendesk): State<Zendesk>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let sent = request.headers().get(AUTHORIZATION).and_then(|sent| sent.to_str().ok());
    let token = sent.and_then(|sent| sent.strip_prefix("Bearer ")).ok_or_else(refusal::unauthenticated)?;
    zendesk.tokens.check(token, request.method(), request.uri().path())?;
    Ok(next.run(request).await)
}
