//! Tickets: reading one, finding them, changing one, and creating one.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use chrono::Utc;
use serde_json::{Value, json};

use super::Zendesk;
use super::account::INTEGRATION;
use super::attributes::{self, Attributes, check_query};
use super::paging::{Pages, base};
use super::refusal;
use super::ticket::Ticket;
use crate::refusal::Refusal;
use crate::schema::Schema;

static CREATE: Schema = Schema::new(include_str!("schemas/tickets.json"), "create");
static UPDATE: Schema = Schema::new(include_str!("schemas/tickets.json"), "update");
pub(super) static LIST: Schema = Schema::new(include_str!("schemas/requests.json"), "list");

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_LOOKUP: HeaderName = HeaderName::from_static("x-idempotency-lookup");

/// The number of a ticket in a path, with `.json` or without.
pub(super) fn number(id: &str) -> Result<u64, Refusal> {
    let id = id.strip_suffix(".json").unwrap_or(id);
    id.parse().map_err(|_| refusal::wrong_attribute("id", "must be an integer"))
}

/// `GET /api/v2/tickets/{id}`
pub(super) async fn read(
    State(zendesk): State<Zendesk>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let (id, base) = (number(&id)?, base(&headers));
    zendesk.account.read(|account| {
        let shown = account.ticket(id)?.shown(account, &base);
        Ok(Json(json!({ "ticket": shown })))
    })
}

/// `GET /api/v2/tickets`, all or those with this `external_id`, which need not be one (tickets reference).
pub(super) async fn list(State(zendesk): State<Zendesk>, pages: Pages) -> Result<Json<Value>, Refusal> {
    check_query(&pages.query, &LIST)?;
    let wanted = pages.query.get("external_id");
    zendesk.account.read(|account| {
        let lag = zendesk.options.lookup_lag;
        let known = |ticket: &Ticket| (Utc::now() - ticket.created_at).to_std().unwrap_or_default() >= lag;
        let fits =
            |ticket: &&Ticket| wanted.is_none() || ticket.external_id.as_ref() == wanted && known(ticket);
        let tickets: Vec<_> =
            account.tickets.values().filter(fits).map(|ticket| (ticket.id, ticket)).collect();
        pages.page("tickets", &tickets, |ticket| ticket.shown(account, &pages.base)).map(Json)
    })
}

/// `PUT /api/v2/tickets/{id}`
///
/// A body without `ticket` changes nothing and is answered as if it had: only the audit shows it.
pub(super) async fn update(
    State(zendesk): State<Zendesk>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let (id, base) = (number(&id)?, base(&headers));
    let admitted = zendesk.ticket_updates.admit_to(id).and_then(|()| zendesk.updates.admit());
    admitted.map_err(|full| refusal::too_many_updates(&full))?;
    let mut given = Attributes::of(&attributes::body(&headers, &body)?, &UPDATE)?;
    zendesk.account.change(|account| {
        // "The ticket can still be updated in other ways" (comments reference).
        let comments = account.ticket(id)?.comments.len();
        if given.comment.is_some() && comments >= zendesk.options.comment_limit {
            return Err(refusal::invalid("comment", "The ticket takes no more comments"));
        }
        let uploads = with_files(&zendesk, &mut given)?;
        let audit = account.update(id, INTEGRATION, given)?;
        zendesk.uploads.used(&uploads);
        let shown = account.ticket(id)?.shown(account, &base);
        Ok(Json(json!({ "ticket": shown, "audit": audit.shown(id) })))
    })
}

/// `DELETE /api/v2/tickets/{id}`
pub(super) async fn delete(
    State(zendesk): State<Zendesk>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = number(&id)?;
    zendesk.account.change(|account| account.tickets.remove(&id).map(drop).ok_or_else(refusal::not_found))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v2/tickets`
///
/// With an `Idempotency-Key`, the same request again gets the first one's answer (idempotency section).
pub(super) async fn create(
    State(zendesk): State<Zendesk>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, HeaderMap, Json<Value>), Refusal> {
    let base = base(&headers);
    let request = attributes::body(&headers, &body)?;
    let mut given = Attributes::of(&request, &CREATE)?;
    let key = headers.get(IDEMPOTENCY_KEY).map(|key| String::from_utf8_lossy(key.as_bytes()));
    zendesk.account.change(|account| {
        account.forget_keys(zendesk.options.key_lifetime);
        let known = match &key {
            Some(key) => account.answered(key, &request)?,
            None => None,
        };
        let lookup = key.as_ref().map(|_| if known.is_some() { "hit" } else { "miss" });
        let answer = match known {
            Some(known) => known,
            None => {
                let uploads = with_files(&zendesk, &mut given)?;
                let (id, audit) = account.create(given)?;
                zendesk.uploads.used(&uploads);
                let shown = account.ticket(id)?.shown(account, &base);
                let answer = json!({ "ticket": shown, "audit": audit.shown(id) });
                if let Some(key) = &key {
                    account.remember(key, request, answer.clone());
                }
                answer
            }
        };
        let mut headers = HeaderMap::new();
        // The host in it came in a header, so it can stand in one.
        let url = answer["ticket"]["url"].as_str().and_then(|url| HeaderValue::try_from(url).ok());
        headers.extend(url.map(|url| (LOCATION, url)));
        headers.extend(lookup.map(|lookup| (IDEMPOTENCY_LOOKUP, HeaderValue::from_static(lookup))));
        Ok((StatusCode::CREATED, headers, Json(answer)))
    })
}

/// Gives the comment its files, and returns the tokens that are used up with it: each is good for one comment, and one that
/// is refused leaves them as they are.
fn with_files(zendesk: &Zendesk, given: &mut Attributes) -> Result<Vec<String>, Refusal> {
    let Some(comment) = &mut given.comment else { return Ok(Vec::new()) };
    comment.attachments = zendesk.uploads.of(&comment.uploads)?;
    Ok(comment.uploads.clone())
}
