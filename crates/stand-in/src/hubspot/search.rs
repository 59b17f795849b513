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

/// How long what was made is not found.
const LAG: TimeDelta = TimeDelta::seconds(3);

/// The published description requires all five; the search guide shows requests that lack most of them.
///
/// Sorts are strings in the published description. The guide has objects, which are refused here: a caller must
/// not count on them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    filter_groups: Vec<Group>,
    properties: Vec<String>,
    sorts: Vec<String>,
    limit: usize,
    after: After,
}

#[derive(Deserialize)]
struct Group {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    property_name: String,
    #[serde(flatten)]
    test: Test,
}

#[derive(Deserialize)]
#[serde(tag = "operator", rename_all = "UPPERCASE")]
enum Test {
    Eq { value: String },
    In { values: Vec<String> },
}

/// A string in the published description, a number in the search guide.
#[derive(Deserialize)]
#[serde(untagged)]
enum After {
    Text(String),
    Number(usize),
}

pub(super) async fn search(State(hubspot): State<HubSpot>, body: Bytes) -> Result<Json<Value>, Refusal> {
    hubspot.searches.admit().map_err(|_| refusal::too_many_searches())?;
    let search: Search = json(&body)?;
    let after = match &search.after {
        After::Number(after) => *after,
        After::Text(after) if after.is_empty() => 0,
        After::Text(after) => after
            .parse()
            .map_err(|_| refusal::validation(&format!("{after} is not a place to go on after")))?,
    };
    hubspot.account.read(|account| {
        search.check(account)?;
        let known = Utc::now() - LAG;
        let found = account.contacts.values().filter(|contact| contact.created_at <= known);
        let mut found: Vec<&Record> = found.filter(|contact| search.fits(contact)).collect();
        search.sort(&mut found);
        let page = found.iter().skip(after).take(search.limit);
        let results: Vec<Value> =
            page.map(|contact| contact.shown(account, Some(&search.properties))).collect();
        let next = after.saturating_add(results.len());
        let mut body = json!({ "total": found.len(), "results": results });
        if next < found.len() {
            body["paging"] = json!({ "next": { "after": next.to_string() } });
        }
        Ok(Json(body))
    })
}

impl Search {
    /// The limits are those of the search guide.
    fn check(&self, account: &Account) -> Result<(), Refusal> {
        let groups = &self.filter_groups;
        let mut all = groups.iter().flat_map(|group| &group.filters);
        let too_many = if groups.len() > 5
            || groups.iter().any(|group| group.filters.len() > 6)
            || all.clone().count() > 18
        {
            "5 filterGroups, 6 filters in each and 18 in all"
        } else if self.sorts.len() > 1 {
            "one sort"
        } else if self.limit > 200 {
            "200 results a page"
        } else if all.any(|filter| account.property(ObjectType::Contacts, &filter.property_name).is_none()) {
            return Err(refusal::unsearchable());
        } else {
            return Ok(());
        };
        Err(refusal::validation(&format!("At most {too_many}")))
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
    /// EQ doesn't look at case; IN compares the lower case of what is stored, so what is searched for has
    /// to be in lower case (search guide).
    fn fits(&self, contact: &Record) -> bool {
        let own = contact.property(&self.property_name).map(|own| own.to_lowercase());
        own.is_some_and(|own| match &self.test {
            Test::Eq { value } => own == value.to_lowercase(),
            Test::In { values } => values.contains(&own),
        })
    }
}
