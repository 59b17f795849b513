//! `/calls`: the newest calls, or those that a person looks for, each with the state of its jobs and the cause where one is not
//! done.

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
    response::Html,
};
use chrono::{DateTime, Utc};

use super::{
    Console,
    access::Visitor,
    find::{Asked, Place},
    job::{Job, Seconds},
    page::{Broken, render},
    session::Csrf,
    tabs::{Tab, tabs},
};

/// The calls of a page.
const PAGE: usize = 50;

struct Call {
    event_id: String,
    event: String,
    events: i64,
    received_at: DateTime<Utc>,
    direction: Option<String>,
    from_number: Option<String>,
    to_number: Option<String>,
    status: Option<String>,
    reason: Option<String>,
    queue_name: Option<String>,
    agent_name: Option<String>,
    duration_seconds: Option<Seconds>,
    problems: Vec<String>,
    pruned_at: Option<DateTime<Utc>>,
}

#[derive(Template)]
#[template(path = "console/calls.html")]
struct List {
    here: &'static str,
    csrf: Option<Csrf>,
    calls: Vec<(Call, Vec<Job>)>,
    asked: Asked,
    shown: Option<&'static str>,
    tabs: Vec<Tab>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
    now: DateTime<Utc>,
}

pub(super) async fn page(
    State(Console { reader: pool, .. }): State<Console>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Broken> {
    let place = asked.place();
    let wanted = asked.calls(&pool, place.as_ref()).await?;
    let mut calls = sqlx::query_as!(
        Call,
        r#"
        select event_id as "event_id!", event as "event!", events as "events!", received_at as "received_at!",
               direction, from_number, to_number, status, reason, queue_name, agent_name,
               duration_seconds as "duration_seconds: Seconds",
               problems as "problems!", pruned_at
        from call
        where ($1::text[] is null or call_id = any($1))
          and ($2::timestamptz is null or received_at <= $2 and (received_at, event_id) < ($2, $3))
        order by received_at desc, event_id desc limit 51
        "#,
        wanted.as_ref().map(|wanted| wanted.calls.as_slice()),
        place.as_ref().map(|place| place.received_at),
        place.as_ref().map(|place| place.event_id.as_str()),
    )
    .fetch_all(&pool)
    .await?;
    let more = calls.len() > PAGE;
    calls.truncate(PAGE);
    let last = calls.last().filter(|_| more);
    let next = last.map(|call| Place { received_at: call.received_at, event_id: call.event_id.clone() });
    let next = next.or(wanted.and_then(|wanted| wanted.next)).map(|place| place.written());
    let event_ids: Vec<_> = calls.iter().map(|call| call.event_id.clone()).collect();
    let mut jobs = Job::of(&pool, &event_ids).await?;
    let with_jobs = |call: Call| {
        let jobs = jobs.remove(&call.event_id).unwrap_or_default();
        (call, jobs)
    };
    let calls = calls.into_iter().map(with_jobs).collect();
    render(&List {
        here: "calls",
        csrf: visitor.csrf,
        calls,
        shown: asked.shown(),
        tabs: tabs(&pool).await,
        asked,
        next,
        now: Utc::now(),
    })
}
