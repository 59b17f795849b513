//! `retry`: jobs that were given up are run anew.

use chrono::{DateTime, Utc};
use clap::Args;

use super::values::{database, said, time};
use crate::{
    config::Config,
    db,
    job::Jobs,
    work::tasks::given_up::{self, Which},
};

/// Which jobs.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// The job's name: update-crm.
    job: String,

    /// Only what this event started.
    #[arg(long = "event")]
    event_id: Option<String>,

    /// Only what was given up since then: a time, `2026-11-27T10:00:00Z`, or how long ago, `2h`.
    #[arg(long, value_parser = time)]
    since: Option<DateTime<Utc>>,

    /// Only what was given up until then.
    #[arg(long, value_parser = time)]
    until: Option<DateTime<Utc>>,
}

/// Lets them run anew, and says how many.
///
/// # Errors
///
/// There is no such job, or the database can't be asked.
pub async fn run(args: &RetryArgs, config: &Config, jobs: &Jobs) -> anyhow::Result<()> {
    let RetryArgs { job, event_id, since, until } = args;
    jobs.named(job)?;
    let which = Which {
        job: Some(job),
        event_id: event_id.as_deref(),
        since: *since,
        until: *until,
        ..Which::default()
    };
    let again = said(given_up::retry(&db::worker_pool(&database(config)?, 0)?, &which).await)?;
    println!("{} of {job} run anew", again.values().sum::<u64>());
    Ok(())
}
