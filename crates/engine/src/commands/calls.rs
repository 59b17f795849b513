//! `calls`: what came in, and what became of it. Its JSON is rows of the views `call`, `stored_event` and `call_job`, so that
//! it has what a fork adds to them.

use anyhow::ensure;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::Value;
use sqlx::PgPool;

use super::values::{database, json, member, number, said, time};
use crate::{
    config::Config,
    db, search,
    telemetry::Safe,
    work::tasks::calls::{self, Progress},
};

/// What to do with calls.
#[derive(Debug, Subcommand)]
pub enum CallsCommand {
    /// The newest calls, or those that are looked for, each with the state of its jobs.
    List(ListArgs),
    /// All that is known of a call: its events with their fields, its jobs with every attempt, and what the vendors have.
    Show(ShowArgs),
}

/// Which calls.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only calls from or to this number: all of it, or the last five digits or more.
    #[arg(long, value_parser = written)]
    number: Option<String>,

    /// Only what came since then: a time, `2026-11-27T10:00:00Z`, or how long ago, `2h`.
    #[arg(long, value_parser = time)]
    since: Option<DateTime<Utc>>,

    /// Only what came until then.
    #[arg(long, value_parser = time)]
    until: Option<DateTime<Utc>>,

    /// Only calls with a job that is in progress, or that gave up, or of which all is done; of those that are done, among
    /// the newest thousand calls.
    #[arg(long)]
    state: Option<Progress>,

    /// So many at the most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,

    /// Print a JSON array of calls: rows of the view `call`, each with its `jobs`, rows of the view `call_job`.
    #[arg(long)]
    json: bool,
}

/// Which call.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The id of an event, or of a call.
    id: String,

    /// Print a JSON array of events: rows of the view `stored_event` but for bodies and headers, each with its `jobs`.
    #[arg(long)]
    json: bool,
}

/// Prints what is known of calls, personal data included.
///
/// # Errors
///
/// There is no such call, or the database can't be asked.
pub async fn run(command: &CallsCommand, config: &Config) -> anyhow::Result<()> {
    let pool = db::reader_pool(&database(config)?)?;
    match command {
        CallsCommand::List(args) => {
            let calls = said(find(&pool, args).await)?;
            if args.json {
                println!("{}", json(&calls)?);
            } else if calls.is_empty() {
                println!("no such call has come");
            }
            for call in calls.iter().filter(|_| !args.json) {
                println!("{}", line(call));
            }
        }
        CallsCommand::Show(args) => {
            let events = said(events(&pool, &args.id).await)?;
            ensure!(!events.is_empty(), "no event and no call has the id {}", Safe(&args.id));
            if args.json {
                println!("{}", json(&events)?);
            }
            events.iter().filter(|_| !args.json).for_each(print);
        }
    }
    Ok(())
}

/// A number as it was typed, where it may be one.
fn written(text: &str) -> Result<String, String> {
    number(text).map(|_| text.to_owned())
}

async fn find(pool: &PgPool, args: &ListArgs) -> sqlx::Result<Vec<Value>> {
    let mut wanted = None;
    if let Some(number) = &args.number {
        wanted = Some(search::calls(pool, number, args.until).await?);
    }
    if let Some(state) = args.state {
        let calls = match state {
            Progress::Ongoing => calls::in_progress(pool, args.until, search::MOST).await?,
            Progress::Done => calls::done(pool, args.until.map(|until| (until, ""))).await?.calls,
            Progress::GivenUp => calls::given_up(pool, args.until, search::MOST).await?,
        };
        wanted = Some(match wanted {
            Some(wanted) => wanted.into_iter().filter(|call| calls.contains(call)).collect(),
            None => calls,
        });
    }
    sqlx::query_scalar!(
        r#"
        select to_jsonb(call) || jsonb_build_object('jobs', coalesce((
            select jsonb_agg(to_jsonb(call_job) - '{event_id,call_id,received_at}'::text[] order by job)
            from call_job where call_job.event_id = call.event_id
        ), '[]')) as "call!: Value"
        from call
        where ($1::text[] is null or call_id = any($1))
          and ($2::timestamptz is null or received_at >= $2) and ($3::timestamptz is null or received_at <= $3)
        order by received_at desc, event_id desc limit $4
        "#,
        wanted.as_deref(),
        args.since,
        args.until,
        args.limit,
    )
    .fetch_all(pool)
    .await
}

/// The events with this id or of the call with this id, the first of them first.
async fn events(pool: &PgPool, id: &str) -> sqlx::Result<Vec<Value>> {
    sqlx::query_scalar!(
        r#"
        select to_jsonb(stored_event) - '{body,headers}'::text[] || jsonb_build_object('jobs', coalesce((
            select jsonb_agg(
                to_jsonb(call_job) - '{event_id,call_id,received_at}'::text[] || jsonb_build_object(
                    'history', (
                        select coalesce(jsonb_agg(to_jsonb(attempt) - '{event_id,job}'::text[] order by number), '[]')
                        from attempt where attempt.event_id = call_job.event_id and attempt.job = call_job.job
                    ),
                    'receipts', (
                        select coalesce(jsonb_agg(to_jsonb(receipt) - '{event_id,job}'::text[] order by created_at), '[]')
                        from receipt where receipt.event_id = call_job.event_id and receipt.job = call_job.job
                    )
                ) order by job
            )
            from call_job where call_job.event_id = stored_event.event_id
        ), '[]')) as "event!: Value"
        from stored_event where event_id = $1 or call_id = $1
        order by received_at, event_id limit 100
        "#,
        id,
    )
    .fetch_all(pool)
    .await
}

/// A call in one line.
fn line(call: &Value) -> String {
    let told = |name| member(call, name);
    let jobs = call["jobs"].as_array().into_iter().flatten();
    let jobs: Vec<_> = jobs.map(|job| format!("{} {}", member(job, "job"), member(job, "state"))).collect();
    let words = [
        told("received_at"),
        told("call_id"),
        told("event_id"),
        told("direction"),
        told("from_number"),
        told("to_number"),
        told("status"),
        jobs.join(", "),
    ];
    words.map(|word| if word.is_empty() { "-".to_owned() } else { word }).join("  ")
}

/// An event with all that is known of it.
fn print(event: &Value) {
    println!("event {} of call {}", member(event, "event_id"), member(event, "call_id"));
    for (name, value) in event.as_object().into_iter().flatten() {
        let empty = value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(serde_json::Map::is_empty);
        if !value.is_null() && !empty && !["event_id", "call_id", "jobs"].contains(&name.as_str()) {
            println!("  {name}: {}", member(event, name));
        }
    }
    for job in event["jobs"].as_array().into_iter().flatten() {
        let next = member(job, "next_try_at");
        let next = if next.is_empty() { next } else { format!(", next try at {next}") };
        println!("  {}: {}{next}", member(job, "job"), member(job, "state"));
        for attempt in job["history"].as_array().into_iter().flatten() {
            let told = |name| member(attempt, name);
            let result = if attempt["result"].is_null() {
                "has no end".to_owned()
            } else {
                told("result").replace('_', " ")
            };
            println!("    {}. {} {result} {}", told("number"), told("started_at"), told("reason"));
        }
        for receipt in job["receipts"].as_array().into_iter().flatten() {
            let told = |name| member(receipt, name);
            println!(
                "    {}: {} {} {} {}",
                told("destination"),
                told("made"),
                told("external_id"),
                told("url"),
                told("note")
            );
        }
    }
}
