//! Which calls a person looks for.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgPool;

use crate::{
    search,
    work::tasks::calls::{self, Done, Progress},
};

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
pub(super) const TABS: [(&str, &str, Progress); 3] = [
    ("in-progress", "In progress", Progress::Ongoing),
    ("done", "Done", Progress::Done),
    ("gave-up", "Gave up", Progress::GivenUp),
];

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
    /// The word of the tab that is open, empty for all calls; none where something is searched for.
    pub(super) fn shown(&self) -> Option<&'static str> {
        let tab = TABS.iter().find(|(word, ..)| *word == self.show);
        self.q.trim().is_empty().then(|| tab.map_or("", |(word, ..)| word))
    }

    /// Where the list begins.
    pub(super) fn place(&self) -> Option<Place> {
        (!self.after.is_empty()).then(|| Place::read(&self.after))
    }

    /// The calls that it is about, those among them that come next after this place; `None` where it is about all.
    pub(super) async fn calls(&self, pool: &PgPool, after: Option<&Place>) -> sqlx::Result<Option<Wanted>> {
        let latest = after.map(|place| place.received_at);
        let q = self.q.trim();
        let calls = if !q.is_empty() {
            search::calls(pool, q, latest).await?
        } else if let Some((_, _, progress)) = TABS.iter().find(|(word, ..)| *word == self.show) {
            match progress {
                Progress::Ongoing => calls::in_progress(pool, latest, search::MOST).await?,
                Progress::GivenUp => calls::given_up(pool, latest, search::MOST).await?,
                Progress::Done => {
                    let after = after.map(|place| (place.received_at, place.event_id.as_str()));
                    let Done { calls, last } = calls::done(pool, after).await?;
                    let next = last.map(|(received_at, event_id)| Place { received_at, event_id });
                    return Ok(Some(Wanted { calls, next }));
                }
            }
        } else {
            return Ok(None);
        };
        Ok(Some(Wanted { calls, next: None }))
    }
}

/// Calls that a list is about.
pub(super) struct Wanted {
    pub(super) calls: Vec<String>,
    /// Where to look for more, if those don't fill a page.
    pub(super) next: Option<Place>,
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
