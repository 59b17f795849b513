//! Lists in pages, in either of the vendor's two ways (pagination reference).
//!
//! `page[size]` asks for cursors: `meta` and `links`. Without it, `page` and `per_page` count: `count`,
//! `next_page` and `previous_page`. A page has 100 records at most; what becomes of a larger one is not
//! documented for every list: here it is one of 100.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::refusal::{unreadable, wrong_type};
use crate::refusal::Refusal;

const AT_MOST: usize = 100;

/// The page of a list that a request asks for.
pub(super) struct Pages {
    /// The stand-in's own address, as the caller knows it.
    pub(super) base: String,
    pub(super) query: BTreeMap<String, String>,
    path: String,
    size: usize,
    place: Place,
}

enum Place {
    Number(usize),
    /// With cursors, from the first record on.
    First,
    /// This record is not in it.
    After(u64),
    /// Nor is this.
    Before(u64),
}

impl<S: Sync> FromRequestParts<S> for Pages {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query::<BTreeMap<String, String>>(query) =
            Query::try_from_uri(&parts.uri).map_err(|_| unreadable())?;
        let number = |name: &str| match query.get(name).map(|value| value.parse()) {
            None => Ok(None),
            Some(Ok(number)) if number > 0 => Ok(Some(number)),
            Some(_) => Err(wrong_type(name, "an integer")),
        };
        let cursor = |name: &str| {
            let id = |value: &String| id(value).ok_or_else(|| wrong_type(name, "a cursor"));
            query.get(name).map(id).transpose()
        };
        let (size, place) = if let Some(size) = number("page[size]")? {
            let place = match (cursor("page[after]")?, cursor("page[before]")?) {
                (Some(after), _) => Place::After(after),
                (None, Some(before)) => Place::Before(before),
                (None, None) => Place::First,
            };
            (size, place)
        } else if query.keys().any(|name| name.starts_with("page[")) {
            // Observed where a list is asked for its `page[…]` in the other way.
            return Err(wrong_type("page", "an integer"));
        } else {
            (number("per_page")?.unwrap_or(AT_MOST), Place::Number(number("page")?.unwrap_or(1)))
        };
        let (base, path) = (base(&parts.headers), parts.uri.path().to_owned());
        Ok(Self { base, path, size: size.min(AT_MOST), place, query })
    }
}

impl Pages {
    /// Whether the query has this.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.query.get(name).is_some_and(|given| given == value)
    }

    /// This page of the records, which come with their ids.
    pub(super) fn page(&self, name: &str, records: &[(u64, Value)]) -> Result<Value, Refusal> {
        let (size, count) = (self.size, records.len());
        let position = |id: u64| {
            let position = records.iter().position(|(own, _)| *own == id);
            position.ok_or_else(|| wrong_type("page", "a cursor"))
        };
        let (start, end) = match self.place {
            Place::Number(page) => (size.saturating_mul(page - 1), size.saturating_mul(page)),
            Place::First => (0, size),
            Place::After(id) => (position(id)? + 1, position(id)? + 1 + size),
            Place::Before(id) => (position(id)?.saturating_sub(size), position(id)?),
        };
        let (start, end) = (start.min(count), end.min(count));
        let has_more = end < count;
        let page = &records[start..end];
        let shown: Vec<&Value> = page.iter().map(|(_, shown)| shown).collect();
        if let Place::Number(page) = self.place {
            let url = |page: usize| self.url("page", &page.to_string());
            return Ok(json!({
                name: shown,
                "count": count,
                "next_page": has_more.then(|| url(page + 1)),
                "previous_page": (page > 1).then(|| url(page - 1)),
            }));
        }
        let (first, last) = (page.first().map(cursor), page.last().map(cursor));
        let link = |name: &str, to: &Option<String>| to.as_ref().map(|cursor| self.url(name, cursor));
        Ok(json!({
            name: shown,
            "meta": { "has_more": has_more, "after_cursor": last, "before_cursor": first },
            "links": {
                "next": link("page[after]", &last).filter(|_| has_more),
                "prev": link("page[before]", &first).filter(|_| start > 0),
            },
        }))
    }

    /// The same request for another page.
    fn url(&self, name: &str, place: &str) -> String {
        let places = ["page", "page[after]", "page[before]"];
        let others = self.query.iter().filter(|(name, _)| !places.contains(&name.as_str()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others).append_pair(name, place);
        format!("{}{}?{}", self.base, self.path, query.finish())
    }
}

/// Opaque, and with a character that has to be encoded in a query, as the vendor's are.
fn cursor((id, _): &(u64, Value)) -> String {
    format!("{id:x}==")
}

fn id(cursor: &str) -> Option<u64> {
    u64::from_str_radix(cursor.strip_suffix("==")?, 16).ok()
}

/// The stand-in's own address, as the caller knows it.
pub(super) fn base(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("localhost"))
}
