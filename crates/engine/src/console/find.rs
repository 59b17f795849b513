//! Which calls a person looks for.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgPool;

use crate::{
    search::EndOfNumber,
    work::tasks::open::{self, Unfinished},
};

/// The most characters of what is searched for; no id that a person pastes is longer.
const LONGEST: usize = 255;

/// The most events of each kind that are looked through for a page; a call has some ten at the most.
const MOST: i64 = 1000;

/// What is in a list's link.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Searched for: an id of ours, the platform's or a vendor's, or a number.
    pub(super) q: String,
    /// One of [`TABS`].
    pub(super) show: String,
    /// The call after which the list goes on, as [`Place`] is written.
    pub(super) after: String,
}

/// The lists beside that of all calls, by the word in their link.
pub(super) const TABS: [(&str, &str, Unfinished); 2] =
    [("in-progress", "In progress", Unfinished::InProgress), ("gave-up", "Gave up", Unfinished::GivenUp)];

/// A call's place in a list, the newest first.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) received_at: DateTime<Utc>,
    pub(super) event_id: String,
}

impl Place {
    /// As it stands in a link.
    pub(super) fn written(&self) -> String {
        format!("{}.{}", self.received_at.timestamp_micros(), self.event_id)
    }

    /// From a link; the beginning of the list where that is none.
    fn read(text: &str) -> Self {
        let place = || {
            let (micros, event_id) = text.split_once('.')?;
            let received_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
            let event_id = (!event_id.contains('\0')).then(|| event_id.to_owned())?;
            (received_at >= DateTime::UNIX_EPOCH).then_some(Self { received_at, event_id })
        };
        let start = Self { received_at: DateTime::<Utc>::MAX_UTC, event_id: String::new() };
        place().unwrap_or(start)
    }
}

impl Asked {
    /// Where the list begins.
    pub(super) fn place(&self) -> Option<Place> {
        (!self.after.is_empty()).then(|| Place::read(&self.after))
    }

    /// The calls that it is about, those among them that come next after this time; `None` where it is about all.
    pub(super) async fn calls(
        &self,
        pool: &PgPool,
        after: Option<DateTime<Utc>>,
    ) -> sqlx::Result<Option<Vec<String>>> {
        let q = self.q.trim();
        if !q.is_empty() {
            return search(pool, q, after).await.map(Some);
        }
        match TABS.iter().find(|(word, ..)| *word == self.show) {
            Some((_, _, which)) => open::calls(pool, *which, after, MOST).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The newest calls with this id, or with a number that ends so.
async fn search(pool: &PgPool, q: &str, after: Option<DateTime<Utc>>) -> sqlx::Result<Vec<String>> {
    if q.chars().count() > LONGEST || q.contains('\0') {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        r#"
        select call_id as "call_id!" from call_event where event_id = $1
        union
        (select call_id from call_event where call_id = $1 limit 1)
        union
        (select call_id from receipt join call_event using (event_id) where external_id = $1
         and ($4::timestamptz is null or call_event.received_at <= $4) order by call_event.received_at desc limit $3)
        union
        (select call_id from call_event
         where reverse(right(regexp_replace(from_number, '[^0-9]', '', 'g'), 20)) like $2
         and ($4::timestamptz is null or received_at <= $4) order by received_at desc limit $3)
        union
        (select call_id from call_event
         where reverse(right(regexp_replace(to_number, '[^0-9]', '', 'g'), 20)) like $2
         and ($4::timestamptz is null or received_at <= $4) order by received_at desc limit $3)
        "#,
        q,
        EndOfNumber::read(q).map(|end| end.pattern()),
        MOST,
        after,
    )
    .fetch_all(pool)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_link_is_read_as_it_was_written_and_nonsense_is_the_beginning() {
        let place = Place { received_at: DateTime::UNIX_EPOCH, event_id: "evt.1 %".to_owned() };
        let read = Place::read(&place.written());
        assert_eq!((read.received_at, read.event_id), (place.received_at, place.event_id));
        for nonsense in ["", "x", "1", ".", "99999999999999999999.evt", "-300000000000000000.x", "1.\0"] {
            assert_eq!(Place::read(nonsense).received_at, DateTime::<Utc>::MAX_UTC, "{nonsense}");
        }
    }
}
