//! Contacts by what is known of them: `POST /crm/objects/{version}/contacts/search`.
//!
//! What the vendor finds lags behind what was made by "a few moments" (search guide).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::HubSpot;
use super::account::{Account, Record};
use super::properties::ObjectType;
use super::refusal::{self, json};
use crate::refusal::Refusal;
use crate::schema::Schema;

/// How long what was made is not found.
const LAG: TimeDelta = TimeDelta::seconds(3);

static SEARCH: Schema = Schema::new(include_str!("schemas/objects.json"), "search");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    filter_groups: Vec<Group>,
    properties: Vec<String>,
    sorts: Vec<String>,
    limit: usize,
    after: String,
}

#[derive(Deserialize)]
struct Group {
    filters: Vec<Filter>,
}

/// Of equality, the only one that is played.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    property_name: String,
    value: String,
}

pub(super) async fn search(State(hubspot): State<HubSpot>, body: Bytes) -> Result<Json<Value>, Refusal> {
    hubspot.searches.admit().map_err(|_| refusal::too_many_searches())?;
    let search: Search = json(&SEARCH, &body)?;
    // One too large leads behind the last.
    let after = if search.after.is_empty() { 0 } else { search.after.parse().unwrap_or(usize::MAX) };
    hubspot.account.read(|account| {
        search.check(account)?;
        let known = Utc::now() - LAG;
        let found = account.contacts.values().filter(|contact| contact.created_at <= known);
        let mut found: Vec<&Record> = found.filter(|contact| search.fits(contact)).collect();
        search.sort(&mut found);
        let page = found.iter().skip(after).take(search.limit);
        let results: Vec<Value> =
            page.map(|contact| contact.shown(account, ObjectType::Contacts, &search.properties)).collect();
        let next = after.saturating_add(results.len());
        let mut body = json!({ "total": found.len(), "results": results });
        if next < found.len() {
            body["paging"] = json!({ "next": { "after": next.to_string() } });
        }
        Ok(Json(body))
    })
}

impl Search {
    fn check(&self, account: &Account) -> Result<(), Refusal> {
        let mut all = self.filter_groups.iter().flat_map(|group| &group.filters);
        if all.clone().count() > 18 {
            return Err(refusal::validation("At most 18 filters in all"));
        }
        let unknown =
            all.any(|filter| account.property(ObjectType::Contacts, &filter.property_name).is_none());
        if unknown { Err(refusal::unsearchable()) } else { Ok(()) }
    }

    /// One of the groups, with all of its filters; without groups, everyone.
    fn fits(&self, contact: &Record) -> bool {
        self.filter_groups.is_empty()
            || self.filter_groups.iter().any(|group| group.filters.iter().all(|filter| filter.fits(contact)))
    }

    fn sort(&self, found: &mut [&Record]) {
        let Some(sort) = self.sorts.first() else { return };
        found.sort_by_key(|contact| contact.property(sort.trim_start_matches('-')));
        if sort.starts_with('-') {
            found.reverse();
        }
    }
}

impl Filter {
    /// Case is not looked at (search guide).
    fn fits(&self, contact: &Record) -> bool {
        let own = contact.property(&self.property_name);
        own.is_some_and(|own| own.to_lowercase() == self.value.to_lowercase())
    }
}
