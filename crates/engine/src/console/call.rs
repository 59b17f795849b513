//! `/calls/{event_id}`: one event, all that is known of it, and what became of it.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{PgPool, types::Json};

use super::{
    Console,
    access::Visitor,
    job::{Job, Seconds},
    page::{Broken, Nothing, render},
    payload::payload,
    session::Csrf,
    standing::{self, Standing},
};
use crate::call::followable;

struct Stored {
    event_id: String,
    received_at: DateTime<Utc>,
    body: Vec<u8>,
    problems: Vec<String>,
    event: String,
    call_id: String,
    occurred_at: Option<DateTime<Utc>>,
    parent_call_id: Option<String>,
    direction: Option<String>,
    from_number: Option<String>,
    to_number: Option<String>,
    status: Option<String>,
    reason: Option<String>,
    queue_id: Option<String>,
    queue_name: Option<String>,
    agent_id: Option<String>,
    agent_name: Option<String>,
    started_at: Option<DateTime<Utc>>,
    connected_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    duration_seconds: Option<Seconds>,
    talk_time_seconds: Option<Seconds>,
    wrap_up_seconds: Option<Seconds>,
    recording_url: Option<String>,
    notes: Option<String>,
    custom_fields: Json<Map<String, Value>>,
    pruned_at: Option<DateTime<Utc>>,
}

pub(super) struct Attempt {
    pub(super) job: String,
    pub(super) number: i32,
    pub(super) started_at: DateTime<Utc>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) result: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) next_at: Option<DateTime<Utc>>,
}

struct Other {
    event_id: String,
    event: String,
    received_at: DateTime<Utc>,
    open_jobs: i64,
}

#[derive(Template)]
#[template(path = "console/call.html")]
struct CallPage {
    here: &'static str,
    csrf: Option<Csrf>,
    call: Stored,
    standing: Vec<Standing>,
    jobs: Vec<(Job, Vec<Attempt>)>,
    others: Vec<Other>,
    payload: String,
}

pub(super) async fn page(
    State(console): State<Console>,
    Extension(visitor): Extension<Visitor>,
    Path(event_id): Path<String>,
) -> Result<Response, Broken> {
    let pool = &console.reader;
    // No text in Postgres holds a NUL: to ask for one is an error.
    let event = if event_id.contains('\0') { None } else { event(pool, &event_id).await? };
    let Some(call) = event else { return Ok(Nothing.into_response()) };
    let mut jobs = Job::of(pool, std::slice::from_ref(&event_id)).await?;
    let mut attempts = attempts(pool, &event_id).await?;
    let with_attempts = |job: Job| {
        let own = attempts.extract_if(.., |attempt| attempt.job == job.name).collect();
        (job, own)
    };
    let jobs: Vec<_> = jobs.remove(&event_id).unwrap_or_default().into_iter().map(with_attempts).collect();
    let standing = standing::of(&jobs, console.give_up_after, Utc::now());
    let others = others(pool, &call).await?;
    let payload = payload(&call.body);
    let page: Html<String> =
        render(&CallPage { here: "calls", csrf: visitor.csrf, call, standing, jobs, others, payload })?;
    Ok(page.into_response())
}

async fn event(pool: &PgPool, event_id: &str) -> sqlx::Result<Option<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        select event_id as "event_id!", received_at as "received_at!", body as "body!", problems as "problems!",
               event as "event!", call_id as "call_id!", occurred_at, parent_call_id, direction,
               from_number, to_number, status, reason, queue_id, queue_name, agent_id, agent_name, started_at,
               connected_at, ended_at, duration_seconds as "duration_seconds: Seconds",
               talk_time_seconds as "talk_time_seconds: Seconds", wrap_up_seconds as "wrap_up_seconds: Seconds",
               recording_url, notes,
               custom_fields as "custom_fields!: Json<Map<String, Value>>", pruned_at
        from stored_event where event_id = $1
        "#,
        event_id,
    )
    .fetch_optional(pool)
    .await
}

async fn attempts(pool: &PgPool, event_id: &str) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as!(
        Attempt,
        "select job, number, started_at, ended_at, result, reason, next_at from attempt where event_id = $1 order by job, number",
        event_id,
    )
    .fetch_all(pool)
    .await
}

/// Other events of the same call, the newest first.
async fn others(pool: &PgPool, call: &Stored) -> sqlx::Result<Vec<Other>> {
    sqlx::query_as!(
        Other,
        r#"
        select event_id, event, received_at,
               (
                   select count(*) from call_job
                   where call_job.event_id = other.event_id and state not in ('done', 'skipped')
               ) as "open_jobs!"
        from call_event as other where call_id = $1 and event_id <> $2
        order by received_at desc limit 20
        "#,
        call.call_id,
        call.event_id,
    )
    .fetch_all(pool)
    .await
}

impl CallPage {
    /// Whether *Run what is missing* has something to do.
    fn is_missing(&self) -> bool {
        self.jobs.iter().any(|(job, _)| job.is_missing())
    }
}

impl Stored {
    /// The recording's URL where a browser may follow it.
    fn recording(&self) -> Option<&str> {
        self.recording_url.as_deref().filter(|url| followable(url))
    }
}

impl Attempt {
    /// Its result in plain words.
    fn outcome(&self, job: &Job) -> &'static str {
        match self.result.as_deref() {
            Some("done") => "done",
            Some("skipped") => "skipped",
            Some("given_up") => "given up",
            Some("paused") => "paused",
            Some(_) => "failed",
            None if job.state == "running" && self.number == job.attempts => "running",
            None => "its process died",
        }
    }

    fn took(&self) -> Option<String> {
        let ms = (self.ended_at? - self.started_at).num_milliseconds();
        Some(if ms < 10_000 { format!("{ms} ms") } else { format!("{} s", ms / 1000) })
    }
}
