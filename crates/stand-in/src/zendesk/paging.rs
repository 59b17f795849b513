//! Lists in pages (pagination reference).
//!
//! `page[size]` asks for cursors: `meta` and `links`. Without it, `count`, `next_page` and `previous_page` are those of pages
//! by number, of which there is only the first here.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::refusal::{unreadable, wrong_attribute};
use crate::refusal::Refusal;

const AT_MOST: usize = 100;

/// The page of a list that a request asks for.
pub(super) struct Pages {
    /// The stand-in's own address, as the caller knows it.
    pub(super) base: String,
    pub(super) query: BTreeMap<String, String>,
    path: String,
}

impl<S: Sync> FromRequestParts<S> for Pages {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(query) = Query::try_from_uri(&parts.uri).map_err(|_| unreadable())?;
        Ok(Self { base: base(&parts.headers), query, path: parts.uri.path().to_owned() })
    }
}

impl Pages {
    /// This page of the records, which come with their ids.
    pub(super) fn page<T>(
        &self,
        name: &str,
        records: &[(u64, T)],
        show: impl Fn(&T) -> Value,
    ) -> Result<Value, Refusal> {
        let show = |page: &[(u64, T)]| page.iter().map(|(_, record)| show(record)).collect::<Vec<_>>();
        let Some(size) = self.query.get("page[size]") else {
            let page = show(&records[..records.len().min(AT_MOST)]);
            let count = records.len();
            return Ok(json!({ name: page, "count": count, "next_page": null, "previous_page": null }));
        };
        let position = |id| records.iter().position(|(own, _)| Some(*own) == id);
        let start = match self.query.get("page[after]") {
            None => 0,
            Some(after) => {
                position(id(after)).ok_or_else(|| wrong_attribute("page[after]", "must be a cursor"))? + 1
            }
        };
        let end = records.len().min(start + size.parse().unwrap_or(AT_MOST));
        let page = &records[start..end];
        let cursor = |record: Option<&(u64, T)>| record.map(|(id, _)| cursor(*id));
        let (first, last, has_more) = (cursor(page.first()), cursor(page.last()), end < records.len());
        let next = last.as_ref().filter(|_| has_more).map(|after| self.after(after));
        Ok(json!({
            name: show(page),
            "meta": { "has_more": has_more, "after_cursor": last, "before_cursor": first },
            "links": { "next": next, "prev": null },
        }))
    }

    /// The same request for the page after this.
    fn after(&self, cursor: &str) -> String {
        let others = self.query.iter().filter(|(name, _)| *name != "page[after]");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others).append_pair("page[after]", cursor);
        format!("{}{}?{}", self.base, self.path, query.finish())
    }
}

/// Opaque, and with a character that has to be encoded in a query, as the vendor's are.
fn cursor(id: u64) -> String {
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
