//! Making, showing and changing webhooks. Reading them is not documented; a secret is never shown.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Value, json};

use super::asked::{Asked, CHANGE, CREATE, Change, body};
use super::{Platform, Webhook, refusal};
use crate::random::random;
use crate::refusal::Refusal;

/// A webhook as the API shows it.
pub(super) fn shown(webhook: &Webhook) -> Value {
    let Webhook { id, url, auth, events } = webhook;
    json!({
        "id": id,
        "type": "after_call",
        "url": url,
        "auth": { "header": auth.header, "secret": "********" },
        "events": events,
        "format": "json",
        "status": "enabled",
    })
}

/// Lets those through who have a key for what they are about to do.
pub(super) async fn admit(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let sent = request.headers().get(AUTHORIZATION).and_then(|sent| sent.to_str().ok());
    match sent.and_then(|sent| sent.strip_prefix("Bearer ")) {
        Some(key) if key == platform.options.api_key => Ok(next.run(request).await),
        Some(key) if key == platform.options.reader_key && request.method().is_safe() => {
            Ok(next.run(request).await)
        }
        Some(key) if key == platform.options.reader_key => Err(refusal::forbidden()),
        _ => Err(refusal::unauthorized()),
    }
}

/// `GET /v1/webhooks`
pub(super) async fn list(State(platform): State<Platform>) -> Json<Value> {
    Json(json!({ "webhooks": platform.webhooks().iter().map(shown).collect::<Vec<_>>() }))
}

/// `GET /v1/webhooks/{id}`
pub(super) async fn read(
    State(platform): State<Platform>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let webhook = platform.webhooks().into_iter().find(|webhook| webhook.id == id);
    webhook.map(|webhook| Json(shown(&webhook))).ok_or_else(refusal::not_found)
}

/// `POST /v1/webhooks`. One for a URL that has one already is a second one: nobody says otherwise.
pub(super) async fn create(
    State(platform): State<Platform>,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let Asked { url, auth, events } = body(&CREATE, &headers, &sent)?;
    let webhook = Webhook { id: format!("wb_{:08x}", random() >> 32), url, auth, events };
    let answer = shown(&webhook);
    platform.account.change(|account| {
        account.webhooks.push(webhook);
        Ok::<_, Refusal>(())
    })?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `PATCH /v1/webhooks/{id}`
pub(super) async fn change(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<Json<Value>, Refusal> {
    let change: Change = body(&CHANGE, &headers, &sent)?;
    platform.account.change(|account| {
        let webhook = account.webhooks.iter_mut().find(|webhook| webhook.id == id);
        let webhook = webhook.ok_or_else(refusal::not_found)?;
        webhook.url = change.url.unwrap_or_else(|| webhook.url.clone());
        webhook.auth = change.auth.unwrap_or_else(|| webhook.auth.clone());
        webhook.events = change.events.unwrap_or_else(|| webhook.events.clone());
        Ok(Json(shown(webhook)))
    })
}
