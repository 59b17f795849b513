//! `/calls/{event_id}`: one event, all that is known of it, and what became of it.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{PgPool, types::Json};

use super::{
    job::{Job, Seconds},
    page::{Broken, Nothing, render},
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

struct Attempt {
    job: String,
    number: i32,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    result: Option<String>,
    reason: Option<String>,
}

struct Other {
    event_id: String,
    event: String,
    received_at: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "console/call.html")]
struct CallPage {
    call: Stored,
    jobs: Vec<(Job, Vec<Attempt>)>,
    others: Vec<Other>,
    payload: String,
}

pub(super) async fn page(
    State(pool): State<PgPool>,
    Path(event_id): Path<String>,
) -> Result<Response, Broken> {
    // No text in Postgres holds a NUL: to ask for one is an error.
    let event = if event_id.contains('\0') { None } else { event(&pool, &event_id).await? };
    let Some(call) = event else { return Ok(Nothing.into_response()) };
    let mut jobs = Job::of(&pool, std::slice::from_ref(&event_id)).await?;
    let mut attempts = attempts(&pool, &event_id).await?;
    let with_attempts = |job: Job| {
        let own = attempts.extract_if(.., |attempt| attempt.job == job.name).collect();
        (job, own)
    };
    let jobs = jobs.remove(&event_id).unwrap_or_default().into_iter().map(with_attempts).collect();
    let others = others(&pool, &call).await?;
    let payload = payload(&call.body);
    let page: Html<String> = render(&CallPage { call, jobs, others, payload })?;
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
        "select job, number, started_at, ended_at, result, reason from attempt where event_id = $1 order by job, number",
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
        select event_id, event, received_at from call_event where call_id = $1 and event_id <> $2
        order by received_at desc limit 20
        "#,
        call.call_id,
        call.event_id,
    )
    .fetch_all(pool)
    .await
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

/// JSON with a line for each member, else the text as it came.
fn payload(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    // It also bounds the depth, and with it what the indentation can make of a body.
    if serde_json::from_slice::<Value>(body).is_ok() { indent(&text) } else { text.into_owned() }
}

/// Only white space is changed: a parsed document would lose the order of its fields, repeated ones, and the digits of
/// its numbers.
fn indent(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut escaped, mut opened) = (0_usize, false, false, false);
    for character in json.chars() {
        if in_string {
            text.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(character, '}' | ']');
        depth -= usize::from(closes);
        if opened != closes {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth.min(16)));
        }
        opened = matches!(character, '{' | '[');
        depth += usize::from(opened);
        text.push(character);
        match character {
            '"' => in_string = true,
            ':' => text.push(' '),
            ',' => {
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth.min(16)));
            }
            _ => {}
        }
    }
    text
}
