//! The calls in which a number stands, and what is known of them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;

use super::number::Number;
use crate::{
    db,
    telemetry::{Safe, at},
    work::tasks::removal,
};

/// How many events are searched in one statement: with the largest bodies it ends within seconds.
const CHUNK: i64 = 100;

/// A search through all events, in the order in which they were received.
pub(super) struct Search<'a> {
    pool: &'a PgPool,
    pattern: String,
    received_at: DateTime<Utc>,
    event_id: String,
}

impl<'a> Search<'a> {
    pub(super) fn new(pool: &'a PgPool, number: &Number) -> Self {
        let pattern = number.pattern();
        Self { pool, pattern, received_at: DateTime::UNIX_EPOCH, event_id: String::new() }
    }

    /// The calls in whose events the number stands, as far as those came after the last search.
    pub(super) async fn next(&mut self) -> sqlx::Result<Vec<String>> {
        let mut found = BTreeSet::new();
        loop {
            // Of what was parsed, too: a body may have escaped its digits.
            let chunk = sqlx::query!(
                r#"
                select event_id, call_id, received_at,
                       pruned_at is null and concat_ws(
                           '|', encode(body, 'escape'), headers, from_number, to_number, custom_fields, details, notes
                       ) ~ $3 as "found!"
                from call_event where received_at >= $1 and (received_at, event_id) > ($1, $2)
                order by received_at, event_id limit $4
                "#,
                self.received_at,
                self.event_id,
                self.pattern,
                CHUNK,
            );
            let chunk = db::within(chunk.fetch_all(self.pool)).await?;
            let Some(last) = chunk.last() else { return Ok(Vec::from_iter(found)) };
            (self.received_at, self.event_id) = (last.received_at, last.event_id.clone());
            found.extend(chunk.into_iter().filter(|event| event.found).map(|event| event.call_id));
        }
    }
}

/// What a vendor was told of a call.
#[derive(Serialize)]
pub(super) struct Receipt {
    pub(super) call_id: String,
    event_id: String,
    job: String,
    destination: String,
    made: String,
    external_id: String,
    url: Option<String>,
}

impl Receipt {
    /// Those of these calls.
    pub(super) async fn of(pool: &PgPool, call_ids: &[String]) -> sqlx::Result<Vec<Self>> {
        let receipts = sqlx::query_as!(
            Self,
            r#"
            select call_id as "call_id!", event_id as "event_id!", job as "job!", destination as "destination!",
                   made as "made!", external_id as "external_id!", url
            from (
                select event_id, job, destination, made, external_id, url from receipt
                union
                select event_id, job, destination, made, external_id, url from voided_receipt
            ) as told join call_event using (event_id)
            where call_id = any($1) order by job, destination, event_id
            "#,
            call_ids,
        );
        db::within(receipts.fetch_all(pool)).await
    }

    /// A line for people.
    pub(super) fn line(&self) -> String {
        let Self { event_id, job, destination, made, external_id, url, .. } = self;
        let url = url.as_deref().map(|url| format!(" {}", Safe(url))).unwrap_or_default();
        let (event_id, id) = (Safe(event_id), Safe(external_id));
        format!("{job} of {event_id} at {destination}: {made} {id}{url}")
    }
}

/// How much there is of some calls.
#[derive(Default, Serialize)]
pub(super) struct Summary {
    pub(super) calls: usize,
    pub(super) events: usize,
    /// Jobs that wait, run, or were given up.
    pub(super) jobs_not_done: usize,
    /// When the first and the last of the events came.
    pub(super) first_at: Option<DateTime<Utc>>,
    pub(super) last_at: Option<DateTime<Utc>>,
}

impl Summary {
    /// Adds these calls.
    pub(super) async fn add(&mut self, pool: &PgPool, call_ids: &[String]) -> sqlx::Result<()> {
        let events = sqlx::query!(
            "select event_id, received_at from call_event where call_id = any($1) and pruned_at is null",
            call_ids,
        );
        let events = db::within(events.fetch_all(pool)).await?;
        let received = || events.iter().map(|event| event.received_at);
        self.calls += call_ids.len();
        self.events += events.len();
        self.first_at = self.first_at.into_iter().chain(received()).min();
        self.last_at = self.last_at.into_iter().chain(received()).max();
        let event_ids: Vec<_> = events.into_iter().map(|event| event.event_id).collect();
        let mut connection = pool.acquire().await?;
        self.jobs_not_done += db::within(removal::open(&mut connection, &event_ids)).await?.len();
        Ok(())
    }

    /// A line for people.
    pub(super) fn line(&self) -> String {
        let many =
            |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let (calls, events) = (many(self.calls, "call"), many(self.events, "event"));
        let jobs = many(self.jobs_not_done, "job");
        let between = match (self.first_at, self.last_at) {
            (Some(first), Some(last)) => format!(", received from {} to {}", at(first), at(last)),
            _ => String::new(),
        };
        format!("{calls} with {events}{between}; {jobs} not done")
    }
}
