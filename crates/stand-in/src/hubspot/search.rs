//! Contacts by what is known of them: `POST /crm/objects/{version}/contacts/search`.
//!
//! What HubSpot finds lags behind what was written; here it doesn't.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::HubSpot;
use super::account::{Account, Contact};
use super::properties::ObjectType;
use super::refusal::{Refusal, json};

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
    operator: String,
    value: Option<String>,
    values: Option<Vec<String>>,
}

/// A string in the published description, a number in the search guide.
#[derive(Deserialize)]
#[serde(untagged)]
enum After {
    Text(String),
    Number(usize),
}

pub(super) async fn search(State(hubspot): State<HubSpot>, body: Bytes) -> Result<Json<Value>, Refusal> {
    hubspot.searches.admit().map_err(|_| Refusal::too_many_searches())?;
    let search: Search = json(&body)?;
    let after = match &search.after {
        After::Number(after) => *after,
        After::Text(after) if after.is_empty() => 0,
        After::Text(after) => after
            .parse()
            .map_err(|_| Refusal::validation(&format!("{after} is not a place to go on after")))?,
    };
    hubspot.read(|account| {
        search.check(account)?;
        let mut found: Vec<&Contact> =
            account.contacts.values().filter(|contact| search.fits(contact)).collect();
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
        let all = || self.filter_groups.iter().flat_map(|group| &group.filters);
        let too_many = self.filter_groups.len() > 5
            || self.filter_groups.iter().any(|group| group.filters.len() > 6)
            || all().count() > 18;
        if too_many {
            return Err(Refusal::validation("At most 5 filterGroups, 6 filters in each and 18 in all"));
        }
        if self.sorts.len() > 1 {
            return Err(Refusal::validation("At most one sort"));
        }
        if self.limit > 200 {
            return Err(Refusal::validation("At most 200 results a page"));
        }
        for filter in all() {
            if account.property(ObjectType::Contacts, &filter.property_name).is_none() {
                return Err(Refusal::unsearchable());
            }
            match filter.operator.as_str() {
                "EQ" if filter.value.is_some() => {}
                "IN" if filter.values.is_some() => {}
                "EQ" => return Err(Refusal::validation("EQ needs a value")),
                "IN" => return Err(Refusal::validation("IN needs values")),
                other => {
                    return Err(Refusal::validation(&format!("The stand-in knows EQ and IN, not {other}")));
                }
            }
        }
        Ok(())
    }

    /// One of the groups, with all of its filters; without groups, everyone.
    fn fits(&self, contact: &Contact) -> bool {
        self.filter_groups.is_empty()
            || self.filter_groups.iter().any(|group| group.filters.iter().all(|filter| filter.fits(contact)))
    }

    fn sort(&self, found: &mut [&Contact]) {
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
    fn fits(&self, contact: &Contact) -> bool {
        let Some(own) = contact.property(&self.property_name).map(|own| own.to_lowercase()) else {
            return false;
        };
        match (&self.value, &self.values) {
            (Some(value), _) if self.operator == "EQ" => own == value.to_lowercase(),
            (_, Some(values)) => values.contains(&own),
            _ => false,
        }
    }
}
