//! Lists in pages, in either of the vendor's two ways (pagination reference).
//!
//! `page[size]` asks for cursors: `meta` and `links`. Without it, `page` and `per_page` count: `count`,
//! `next_page` and `previous_page`. A page has 100 records at most; what becomes of a larger one is not
//! documented for every list: here it is one of 100.

use std::fmt::Write as _;

use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::refusal::Refusal;

const AT_MOST: usize = 100;

pub(super) type Query = Vec<(String, String)>;

/// The page of a list that a request asks for.
pub(super) struct Pages<'a> {
    url: String,
    query: &'a Query,
    which: Which,
}

enum Which {
    /// With these before and after, both exclusive.
    Cursor {
        size: usize,
        after: Option<u64>,
        before: Option<u64>,
    },
    Offset {
        size: usize,
        page: usize,
    },
}

impl<'a> Pages<'a> {
    pub(super) fn new(headers: &HeaderMap, uri: &Uri, query: &'a Query) -> Result<Self, Refusal> {
        let given = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let number = |name: &str, value: &String| match value.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(Refusal::wrong_type(name, "an integer")),
        };
        let which = if let Some(size) = given("page[size]") {
            let cursor = |name: &str| {
                let id = |value: &String| id(value).ok_or_else(|| Refusal::wrong_type(name, "a cursor"));
                given(name).map(id).transpose()
            };
            let size = number("page[size]", size)?;
            Which::Cursor { size, after: cursor("page[after]")?, before: cursor("page[before]")? }
        } else {
            // Observed where a list is asked for its `page[…]` in the other way.
            if query.iter().any(|(name, _)| name.starts_with("page[")) {
                return Err(Refusal::wrong_type("page", "an integer"));
            }
            let size = given("per_page").map_or(Ok(AT_MOST), |value| number("per_page", value))?;
            let page = given("page").map_or(Ok(1), |value| number("page", value))?;
            Which::Offset { size, page }
        };
        Ok(Self { url: base(headers) + uri.path(), query, which })
    }

    /// Whether the query has this.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.query.iter().any(|(given, its)| given == name && its == value)
    }

    /// This page of the records, which come with their ids.
    pub(super) fn page(&self, name: &str, records: &[(u64, Value)]) -> Result<Value, Refusal> {
        match self.which {
            Which::Offset { size, page } => Ok(self.by_offset(name, records, size.min(AT_MOST), page)),
            Which::Cursor { size, after, before } => {
                self.by_cursor(name, records, size.min(AT_MOST), after, before)
            }
        }
    }

    fn by_offset(&self, name: &str, records: &[(u64, Value)], size: usize, page: usize) -> Value {
        let count = records.len();
        let skipped = size.saturating_mul(page - 1);
        let shown: Vec<&Value> = records.iter().skip(skipped).take(size).map(|(_, shown)| shown).collect();
        let url = |page: usize| self.url(&[("page", page.to_string())]);
        json!({
            name: shown,
            "count": count,
            "next_page": (skipped.saturating_add(size) < count).then(|| url(page + 1)),
            "previous_page": (page > 1).then(|| url(page - 1)),
        })
    }

    fn by_cursor(
        &self,
        name: &str,
        records: &[(u64, Value)],
        size: usize,
        after: Option<u64>,
        before: Option<u64>,
    ) -> Result<Value, Refusal> {
        let position = |id: u64| records.iter().position(|(own, _)| *own == id);
        let gone = || Refusal::wrong_type("page", "a cursor");
        let range = match (after, before) {
            (Some(after), _) => position(after).ok_or_else(gone)? + 1..records.len(),
            (None, Some(before)) => {
                let end = position(before).ok_or_else(gone)?;
                end.saturating_sub(size)..end
            }
            (None, None) => 0..records.len(),
        };
        let end = range.end.min(range.start + size);
        let page = &records[range.start..end];
        let (first, last) = (page.first().map(|(id, _)| cursor(*id)), page.last().map(|(id, _)| cursor(*id)));
        let link = |name: &str, cursor: &String| self.url(&[(name, cursor.clone())]);
        Ok(json!({
            name: page.iter().map(|(_, shown)| shown).collect::<Vec<_>>(),
            "meta": { "has_more": end < records.len(), "after_cursor": last, "before_cursor": first },
            "links": {
                "next": last.as_ref().filter(|_| end < records.len()).map(|last| link("page[after]", last)),
                "prev": first.as_ref().filter(|_| range.start > 0).map(|first| link("page[before]", first)),
            },
        }))
    }

    /// The same request for another page.
    fn url(&self, place: &[(&str, String)]) -> String {
        let places = ["page", "page[after]", "page[before]"];
        let others = self.query.iter().filter(|(name, _)| !places.contains(&name.as_str()));
        let others = others.map(|(name, value)| (name.as_str(), value));
        let pairs = others.chain(place.iter().map(|(name, value)| (*name, value)));
        let pairs: Vec<String> =
            pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        format!("{}?{}", self.url, pairs.join("&"))
    }
}

/// Opaque, and with a character that has to be encoded in a query, as the vendor's are.
fn cursor(id: u64) -> String {
    format!("{id:x}==")
}

fn id(cursor: &str) -> Option<u64> {
    u64::from_str_radix(cursor.strip_suffix("==")?, 16).ok()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a string never fails.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The stand-in's own address, as the caller knows it.
pub(super) fn base(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("localhost"))
}
