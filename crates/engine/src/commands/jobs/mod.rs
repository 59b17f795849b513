//! `jobs`: what is not done, and what a person does about what was given up.

mod filter;

use std::collections::BTreeMap;

use anyhow::ensure;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use sqlx::PgPool;

use self::filter::Filter;
use super::values::{database, json, member, said};
use crate::{
    config::Config,
    db,
    job::Jobs,
    telemetry::{Safe, at},
    work::tasks::{
        given_up::{self, GivenUp, Which},
        open,
    },
};

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// Jobs that were given up, or others that are not done.
    List(ListArgs),
    /// Run jobs anew that were given up, once their cause is mended; all of them where nothing is said. With --waiting, run
    /// those now that wait for their next try.
    Retry(RetryArgs),
    /// Discard jobs that were given up: they are skipped, and never run. Without --yes, only say how many there are.
    Discard(DiscardArgs),
}

/// Where no job that was given up is meant.
const NONE: &str = "no such job was given up: `jobs list --state in-progress` has those that go on";

/// Which jobs to show.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    filter: Filter,

    /// The jobs' state. Those that were given up show when that was, the others when they are next tried; for the others,
    /// `--since` and `--until` go by when the event came.
    #[arg(long, default_value = "given-up")]
    state: State,

    /// So many at the most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,

    /// Print a JSON array: of jobs that were given up, or of rows of the view `call_job`.
    #[arg(long)]
    json: bool,
}

/// Which jobs to run anew.
#[derive(Debug, Args)]
pub struct RetryArgs {
    #[command(flatten)]
    filter: Filter,

    /// Those that failed and wait for their next try, in place of those that were given up. Times are when the event came.
    #[arg(long)]
    waiting: bool,

    /// Print JSON: `{"changed": true, "jobs": {"update-crm": 3}}`.
    #[arg(long)]
    json: bool,
}

/// Which jobs to discard.
#[derive(Debug, Args)]
pub struct DiscardArgs {
    #[command(flatten)]
    filter: Filter,

    /// Discard them. Without this, nothing is changed.
    #[arg(long)]
    yes: bool,

    /// Print JSON: `{"changed": true, "jobs": {"update-crm": 3}}`.
    #[arg(long)]
    json: bool,
}

/// A state, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    GivenUp,
    /// All of the following.
    InProgress,
    Waiting,
    Running,
    Retrying,
    Paused,
}

/// How many jobs of each name were changed, or would be.
#[derive(Serialize)]
struct Report {
    changed: bool,
    jobs: BTreeMap<String, u64>,
}

/// Shows jobs, or does to them what is said, and says how many there were.
///
/// # Errors
///
/// There is no job of this name, what is to be discarded isn't said, or the database can't be asked.
pub async fn run(command: &JobsCommand, config: &Config, jobs: &Jobs) -> anyhow::Result<()> {
    let url = database(config)?;
    match command {
        JobsCommand::List(args) => list(&db::reader_pool(&url)?, args, &args.filter.which(jobs)?).await,
        JobsCommand::Retry(args) => {
            let (pool, which) = (db::worker_pool(&url, 0)?, args.filter.which(jobs)?);
            let (jobs, done, none) = if args.waiting {
                (open::run_now(&pool, &which).await, "run now", "no such job waits for its next try")
            } else {
                (given_up::retry(&pool, &which).await, "run anew", NONE)
            };
            tell(&Report { changed: true, jobs: said(jobs)? }, args.json, done, none)
        }
        JobsCommand::Discard(args) => {
            let (pool, which) = (db::worker_pool(&url, 0)?, args.filter.which(jobs)?);
            ensure!(
                !args.filter.is_empty(),
                "say which jobs to discard: with --job, --event, --cause, --number, --since or --until"
            );
            let jobs = if args.yes {
                given_up::discard(&pool, &which).await
            } else {
                given_up::count(&pool, &which).await
            };
            tell(&Report { changed: args.yes, jobs: said(jobs)? }, args.json, "discarded", NONE)
        }
    }
}

fn tell(report: &Report, as_json: bool, done: &str, none: &str) -> anyhow::Result<()> {
    if as_json {
        println!("{}", json(report)?);
        return Ok(());
    }
    if report.jobs.is_empty() {
        println!("{none}");
    }
    let would = if report.changed { "" } else { "would be " };
    for (job, count) in &report.jobs {
        println!("{count} of {job} {would}{done}");
    }
    if !report.changed && !report.jobs.is_empty() {
        println!("nothing is changed: with --yes they are {done}, and never run");
    }
    Ok(())
}

async fn list(pool: &PgPool, args: &ListArgs, which: &Which<'_>) -> anyhow::Result<()> {
    let state = match args.state {
        State::GivenUp => {
            let most = usize::try_from(args.limit)?;
            let jobs = said(given_up::list(pool, which, most).await)?;
            return show(&jobs, NONE, args.json, line);
        }
        State::InProgress => None,
        State::Waiting => Some("waiting"),
        State::Running => Some("running"),
        State::Retrying => Some("retrying"),
        State::Paused => Some("paused"),
    };
    let jobs = said(open::list(pool, which, state, args.limit).await)?;
    show(&jobs, "there is no such job", args.json, |job| {
        let told = |name| member(job, name);
        let next = if job["next_try_at"].is_null() { "-".to_owned() } else { told("next_try_at") };
        let (name, event, state, reason) =
            (told("job"), told("event_id"), told("state"), told("last_reason"));
        format!("{next}  {name}  {event}  {state}  {reason}")
    })
}

fn show<T: Serialize>(
    jobs: &[T],
    none: &str,
    as_json: bool,
    line: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    if as_json {
        println!("{}", json(&jobs)?);
    } else if jobs.is_empty() {
        println!("{none}");
    }
    for job in jobs.iter().filter(|_| !as_json) {
        println!("{}", line(job));
    }
    Ok(())
}

fn line(job: &GivenUp) -> String {
    let GivenUp { job: name, event_id, given_up_at, kind, destination, reason, .. } = job;
    let known =
        |word: &Option<String>| word.as_deref().map_or_else(|| "-".to_owned(), |word| Safe(word).to_string());
    let (event, kind, destination) = (Safe(event_id), known(kind), known(destination));
    format!("{}  {name}  {event}  {destination}  {kind}: {}", at(*given_up_at), Safe(reason))
}
