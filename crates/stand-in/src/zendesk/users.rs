//! Users who are callers: finding and creating them (users reference).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Zendesk;
use super::account::Account;
use super::attributes::{self, check, check_query, typed};
use super::paging::Pages;
use super::refusal;
use super::ticket::iso;
use crate::refusal::Refusal;
use crate::schema::Schema;

static CREATE: Schema = Schema::new(include_str!("schemas/users.json"), "create");
static SEARCH: Schema = Schema::new(include_str!("schemas/users.json"), "search");

/// How long a new user is not found by a search: "it can take up to a few minutes" (search reference), of which tests can't
/// wait for the end.
const LAG: TimeDelta = TimeDelta::minutes(2);

/// Somebody who asks for tickets.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The vendor's id.
    pub id: u64,
    /// The name that agents read.
    pub name: String,
    /// The number, as it was written.
    pub phone: Option<String>,
    /// The caller's own id for it; no two users have one.
    pub external_id: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl User {
    fn shown(&self, base: &str) -> Value {
        json!({
            "id": self.id,
            "url": format!("{base}/api/v2/users/{}.json", self.id),
            "name": self.name,
            "email": null,
            "phone": self.phone,
            "external_id": self.external_id,
            "role": "end-user",
            "active": true,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.created_at),
        })
    }
}

impl Account {
    pub(super) fn add_user(&mut self, name: &str, phone: Option<String>, external_id: Option<String>) -> u64 {
        let id = self.take_event();
        self.users.insert(id, name.into());
        let user = User { id, name: name.into(), phone, external_id, created_at: Utc::now() };
        self.callers.insert(id, user);
        id
    }
}

/// What a request makes.
#[derive(Deserialize)]
struct NewUser {
    name: String,
    phone: Option<String>,
    external_id: Option<String>,
}

/// `GET /api/v2/users/search`: a `phone:…` finds the digits wherever they stand in a number.
pub(super) async fn search(State(zendesk): State<Zendesk>, pages: Pages) -> Result<Json<Value>, Refusal> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    check_query(&pages.query, &SEARCH)?;
    let phone = pages.query.get("query").map(|query| digits(query));
    zendesk.account.read(|account| {
        let fits = |user: &&User| match &phone {
            Some(wanted) => {
                let known = Utc::now() - user.created_at >= LAG;
                known && user.phone.as_deref().map(digits).is_some_and(|own| own.contains(wanted.as_str()))
            }
            None => user.external_id.as_ref() == pages.query.get("external_id"),
        };
        let users: Vec<_> = account.callers.values().filter(fits).map(|user| (user.id, user)).collect();
        pages.page("users", &users, |user| user.shown(&pages.base)).map(Json)
    })
}

/// `POST /api/v2/users`
pub(super) async fn create(
    State(zendesk): State<Zendesk>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let mut request = attributes::body(&headers, &body)?;
    check(&request, &CREATE)?;
    let user = typed(Some(request["user"].take()))?;
    let NewUser { name, phone, external_id } = user.ok_or_else(refusal::unreadable)?;
    zendesk.account.change(|account| {
        let taken = account.callers.values().any(|user| user.external_id == external_id);
        if external_id.is_some() && taken {
            return Err(refusal::duplicate("external_id"));
        }
        let id = account.add_user(&name, phone, external_id);
        let shown = account.callers[&id].shown(&super::paging::base(&headers));
        Ok((StatusCode::CREATED, Json(json!({ "user": shown }))))
    })
}
