//! Which calls a person looks for.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// The most characters of what is searched for; no id that a person pastes is longer.
const LONGEST: usize = 255;

/// The most events of each kind that are looked through at once; a call has some ten at the most.
pub(crate) const MOST: i64 = 1000;

/// The fewest digits that are taken for the end of a number.
const FEWEST_DIGITS: usize = 5;

/// The last digits of a number, which are those that are indexed.
const LAST_DIGITS: usize = 20;

/// The digits in which a number ends, as people type it: without its country's code, in any grouping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOfNumber(String);

impl EndOfNumber {
    /// The digits of what may be a number, without the zeros that some dial before it; none where it is no number, or has
    /// fewer than five digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let signs = |letter: char| letter.is_ascii_digit() || " +()-./\u{a0}".contains(letter);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0');
        let digits = &digits[digits.len().saturating_sub(LAST_DIGITS)..];
        (text.chars().all(signs) && digits.len() >= FEWEST_DIGITS).then(|| Self(digits.to_owned()))
    }

    /// What the indexed form of a number is like, which begins with its last digit.
    #[must_use]
    pub fn pattern(&self) -> String {
        self.0.chars().rev().collect::<String>() + "%"
    }
}

/// The newest calls with this id, of ours, the platform's or a vendor's, or with a number that ends so; of those that are found
/// by a vendor's id or a number, those that came at this time at the latest.
///
/// # Errors
///
/// The database can't be asked.
pub async fn calls(pool: &PgPool, q: &str, latest: Option<DateTime<Utc>>) -> sqlx::Result<Vec<String>> {
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
        (select call_id from voided_receipt join call_event using (event_id) where external_id = $1
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
        latest,
    )
    .fetch_all(pool)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_end_as_people_type_it() {
        let read = |typed| EndOfNumber::read(typed).map(|end| end.0);
        for typed in ["+1 (408) 555-1234", "0014085551234", "1.408.555.1234"] {
            assert_eq!(read(typed).as_deref(), Some("14085551234"), "{typed}");
        }
        assert_eq!(read("(0408) 5551234").as_deref(), Some("4085551234"));
        for id in ["evt_14085551234", "1234", "0000", "35436a", "%%%%%"] {
            assert_eq!(read(id), None, "{id}");
        }
    }
}
