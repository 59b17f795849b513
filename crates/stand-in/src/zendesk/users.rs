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
use super::attributes;
use super::paging::Pages;
use super::refusal;
use super::ticket::iso;
use crate::refusal::Refusal;

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

/// `GET /api/v2/users/search`, by a `query` or an `external_id`: one of them (users reference).
///
/// Of queries it knows `phone:…`, which finds the digits wherever they stand in a number.
pub(super) async fn search(State(zendesk): State<Zendesk>, pages: Pages) -> Result<Json<Value>, Refusal> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let phone = pages.query.get("query").map(|query| query.strip_prefix("phone:").map(digits));
    let external_id = pages.query.get("external_id");
    if matches!(phone, Some(None)) || phone.is_some() == external_id.is_some() {
        return Err(refusal::wrong_type("query", "`phone:` and a number, or an external_id"));
    }
    let phone = phone.flatten();
    zendesk.account.read(|account| {
        let fits = |user: &&User| match &phone {
            Some(wanted) => {
                let known = Utc::now() - user.created_at >= LAG;
                known && user.phone.as_deref().map(digits).is_some_and(|own| own.contains(wanted.as_str()))
            }
            None => user.external_id.as_ref() == external_id,
        };
        let users = account.callers.values().filter(fits);
        let users: Vec<(u64, Value)> = users.map(|user| (user.id, user.shown(&pages.base))).collect();
        pages.page("users", &users).map(Json)
    })
}

/// `POST /api/v2/users`: an end user with a name and an id of the caller's own.
pub(super) async fn create(
    State(zendesk): State<Zendesk>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let base = super::paging::base(&headers);
    let request = attributes::body(&headers, &body)?;
    let user = request.get("user").and_then(Value::as_object).ok_or_else(refusal::unreadable)?;
    let known = ["name", "phone", "external_id", "role"];
    if let Some(unknown) = user.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(refusal::wrong_type(unknown, "one that the stand-in knows"));
    }
    let text = |name: &str| match user.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(refusal::wrong_type(name, "a string")),
    };
    let name = text("name")?.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| refusal::invalid("name", "Name: is too short (minimum is 1 character)"))?;
    // By default "end-user" (users reference); others are paid for.
    if text("role")?.is_some_and(|role| role != "end-user") {
        return Err(refusal::invalid("role", "Role: is not allowed"));
    }
    let (phone, external_id) = (text("phone")?, text("external_id")?);
    zendesk.account.change(|account| {
        let taken = account.callers.values().any(|user| user.external_id == external_id);
        if external_id.is_some() && taken {
            return Err(refusal::duplicate("external_id"));
        }
        let id = account.add_user(&name, phone, external_id);
        Ok((StatusCode::CREATED, Json(json!({ "user": account.callers[&id].shown(&base) }))))
    })
}
