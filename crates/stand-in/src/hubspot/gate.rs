//! What a request must pass before it is looked at: the key, then the rolling rate limit.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

use super::refusal::Refusal;
use crate::limit::{RateLimit, Window};

pub(super) struct Gate {
    bearer: String,
    window: Window,
}

impl Gate {
    pub(super) fn new(token: &str, limit: Option<RateLimit>) -> Self {
        Self { bearer: format!("Bearer {token}"), window: Window::new(limit) }
    }
}

/// The limit is per app (usage guidelines), so whoever is not known to be one is turned away first.
pub(super) async fn admit(
    State(gate): State<Arc<Gate>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let sent = request.headers().get(AUTHORIZATION);
    if sent.is_none_or(|sent| sent.as_bytes() != gate.bearer.as_bytes()) {
        return Err(Refusal::unauthorized());
    }
    gate.window.admit().map_err(|_| Refusal::rate_limited(None))?;
    Ok(next.run(request).await)
}
