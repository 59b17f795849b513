//! `retry`: jobs that were given up are run anew.

use anyhow::Context;
use clap::Args;

use crate::{config::Config, db, job::Jobs, work::tasks};

/// Which jobs.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// The job's name: update-crm.
    job: String,

    /// Only what this event started.
    #[arg(long = "event")]
    event_id: Option<String>,
}

/// Lets them run anew, and says how many.
///
/// # Errors
///
/// There is no such job, or the database can't be asked.
pub async fn run(args: &RetryArgs, config: &Config, jobs: &Jobs) -> anyhow::Result<()> {
    let RetryArgs { job, event_id } = args;
    jobs.named(job)?;
    let again = tasks::run_anew(&db::worker_pool(&config.database()?, 0)?, job, event_id.as_deref()).await;
    let again = again.map_err(db::explain).context("the database of DATABASE_URL can't be asked")?;
    println!("{again} of {job} run anew");
    Ok(())
}
