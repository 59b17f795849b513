//! `/`: how it goes. What needs somebody's attention, the last 24 hours, and what stands in the queues.

use std::collections::BTreeMap;

use askama::Template;
use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{
    Console,
    access::Visitor,
    chart::{Chart, Hour},
    job::Seconds,
    lags::{self, Lags},
    page::{Broken, render},
    session::Csrf,
};
use crate::work::tasks::{
    given_up::{Group, groups, is_cut},
    open::{Depth, depths},
};

/// The causes that are shown; the page of what was given up has all.
const MOST_CAUSES: usize = 5;

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    here: &'static str,
    csrf: Option<Csrf>,
    now: DateTime<Utc>,
    /// Whether an event was ever stored.
    is_new: bool,
    causes: Vec<Group>,
    more_causes: usize,
    /// Whether there are more than are grouped.
    is_cut: bool,
    paused: Vec<Paused>,
    /// Deliveries by what became of them, the most frequent first.
    deliveries: Vec<(String, i64)>,
    chart: Chart,
    jobs: BTreeMap<String, Row>,
    lags: Lags,
}

/// A job, in the last 24 hours and now.
#[derive(Default)]
struct Row {
    done: i64,
    skipped: i64,
    failed: i64,
    given_up: i64,
    now: Depth,
}

/// A vendor whose jobs wait until it is well.
struct Paused {
    destination: String,
    until: DateTime<Utc>,
    reason: String,
}

impl Row {
    fn count(&mut self, result: &str, times: i64) {
        match result {
            "done" => self.done += times,
            "skipped" => self.skipped += times,
            "given_up" => self.given_up += times,
            "retry" => self.failed += times,
            _ => {}
        }
    }

    fn oldest(&self) -> Option<Seconds> {
        // Truncated: a second more or less is nobody's concern.
        #[expect(clippy::cast_possible_truncation, reason = "it is some seconds")]
        let seconds = self.now.oldest_seconds as i64;
        (seconds > 0).then_some(Seconds(seconds))
    }
}

impl Overview {
    fn times(&self, result: &str) -> i64 {
        self.deliveries.iter().find(|(of, _)| of == result).map_or(0, |(_, times)| *times)
    }

    /// The refusals, the most frequent first.
    fn refused(&self) -> impl Iterator<Item = &(String, i64)> {
        self.deliveries.iter().filter(|(result, _)| is_refusal(result))
    }
}

/// Whether deliveries are counted so that were not answered 200.
fn is_refusal(result: &str) -> bool {
    !["stored", "duplicate"].contains(&result)
}

pub(super) async fn page(
    State(Console { reader: pool, .. }): State<Console>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Html<String>, Broken> {
    let now = Utc::now();
    let counted = sqlx::query!(
        "select hour, what, name, result, times from tally where hour > now() - interval '24 hours'",
    )
    .fetch_all(&pool)
    .await?;
    let mut jobs: BTreeMap<String, Row> = BTreeMap::new();
    let (mut deliveries, mut hours) = (BTreeMap::<String, i64>::new(), BTreeMap::<_, Hour>::new());
    for row in counted {
        let (hour, result, times) = (hours.entry(row.hour).or_default(), row.result.as_str(), row.times);
        match row.what.as_str() {
            "delivery" => {
                hour.refused += if is_refusal(result) { times } else { 0 };
                *deliveries.entry(row.result).or_default() += times;
            }
            "call" => hour.count(result, times),
            _ => jobs.entry(row.name).or_default().count(result, times),
        }
    }
    for (job, depth) in depths(&pool).await? {
        jobs.entry(job).or_default().now = depth;
    }
    let mut deliveries: Vec<_> = deliveries.into_iter().collect();
    deliveries.sort_by_key(|(_, times)| -times);
    let mut causes = groups(&pool).await?;
    let is_cut = is_cut(&causes);
    let more_causes = causes.len().saturating_sub(MOST_CAUSES);
    causes.truncate(MOST_CAUSES);
    let is_new = sqlx::query_scalar!(r#"select not exists (select from call_event) as "new!""#)
        .fetch_one(&pool)
        .await?;
    render(&Overview {
        here: "overview",
        csrf: visitor.csrf,
        now,
        is_new,
        causes,
        more_causes,
        is_cut,
        paused: paused(&pool).await?,
        deliveries,
        chart: Chart::of(&hours, now),
        jobs,
        lags: lags::of_newest(&pool).await?,
    })
}

/// The vendors of whose jobs one was paused at last and comes back; of the first ten thousand jobs that come back.
async fn paused(pool: &PgPool) -> sqlx::Result<Vec<Paused>> {
    sqlx::query_as!(
        Paused,
        r#"
        select last.destination as "destination!", min(last.next_at) as "until!",
               (array_agg(last.reason order by last.next_at desc))[1] as "reason!"
        from (
            select job_type, idempotency_key from apalis.jobs
            where status = 'Failed' and attempts < max_attempts limit 10000
        ) as waiting cross join lateral (
            select result, failure, destination, next_at, reason from attempt
            where event_id = idempotency_key and job = job_type order by number desc limit 1
        ) as last
        where last.result = 'paused' and last.failure in ('down', 'busy', 'unauthorized') and last.next_at > now() - interval '1 minute'
        group by last.destination order by last.destination
        "#
    )
    .fetch_all(pool)
    .await
}
