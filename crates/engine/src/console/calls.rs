//! `/`: the newest calls, each with the state of its jobs and the cause where one is not done.

use askama::Template;
use axum::{extract::State, response::Html};
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{
    job::{Job, Seconds},
    page::{Broken, render},
};

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
struct Calls {
    calls: Vec<(Call, Vec<Job>)>,
    now: DateTime<Utc>,
}

pub(super) async fn page(State(pool): State<PgPool>) -> Result<Html<String>, Broken> {
    let calls = sqlx::query_as!(
        Call,
        r#"
        select event_id as "event_id!", event as "event!", events as "events!", received_at as "received_at!",
               direction, from_number, to_number, status, reason, queue_name, agent_name,
               duration_seconds as "duration_seconds: Seconds",
               problems as "problems!", pruned_at
        from call order by received_at desc limit 50
        "#,
    )
    .fetch_all(&pool)
    .await?;
    let event_ids: Vec<_> = calls.iter().map(|call| call.event_id.clone()).collect();
    let mut jobs = Job::of(&pool, &event_ids).await?;
    let with_jobs = |call: Call| {
        let jobs = jobs.remove(&call.event_id).unwrap_or_default();
        (call, jobs)
    };
    render(&Calls { calls: calls.into_iter().map(with_jobs).collect(), now: Utc::now() })
}
