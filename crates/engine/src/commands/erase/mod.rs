//! `erase`: the data of every call with a number goes.

mod found;
mod number;

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use self::{
    found::{Receipt, Search, Summary},
    number::Number,
};
use super::values::database;
use crate::{config::Config, db, work::pruning};

/// How many calls go in one transaction.
const CHUNK: usize = 50;

/// How long jobs that run may take to end: a minute after its last sign of life their worker counts as dead.
const PATIENCE: Duration = Duration::from_secs(75);

/// The wait before it is looked whether they have ended.
const LOOK: Duration = Duration::from_millis(500);

/// Whose data.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The number with + and its country's code; spaces, dashes and brackets are allowed.
    #[arg(required = true)]
    number: Vec<String>,

    /// Delete it. Without this, nothing is changed.
    #[arg(long)]
    yes: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was found, and what became of it.
#[derive(Default, Serialize)]
struct Report {
    /// Whether data was deleted, or only looked for.
    erased: bool,
    #[serde(flatten)]
    found: Summary,
    /// Calls of which a job still runs, which keep their data.
    running: BTreeSet<String>,
    receipts: Vec<Receipt>,
}

/// Deletes the data of all calls in which the number stands, or says how much there is, and prints what vendors have of them.
///
/// # Errors
///
/// It is no number with a country's code, the database can't be asked, or a job of a call doesn't end.
pub async fn run(args: &EraseArgs, config: &Config) -> anyhow::Result<()> {
    let number = Number::parse(&args.number.join(" "))?;
    let pool = db::worker_pool(&database(config)?, 1)?;
    let mut report = Report { erased: args.yes, ..Report::default() };
    let erased = erase(&pool, &number, &mut report).await;
    if erased.is_err() {
        eprintln!(
            "it broke off: what follows is what was found until then, and all that is to be had of those calls"
        );
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    erased.map_err(db::explain).context("the database of DATABASE_URL can't be asked")?;
    ensure!(
        report.running.is_empty(),
        "{} of these calls keep their data, since a job of theirs still runs: run this again in a minute",
        report.running.len()
    );
    Ok(())
}

async fn erase(pool: &PgPool, number: &Number, report: &mut Report) -> sqlx::Result<()> {
    let mut search = Search::new(pool, number);
    let mut known = BTreeSet::new();
    let mut deadline = Instant::now();
    loop {
        // What came meanwhile, too: perhaps a further event of a call that was found before.
        let found = search.next().await?;
        let none = found.is_empty();
        for calls in found.chunks(CHUNK) {
            let new: Vec<_> = calls.iter().filter(|call| !known.contains(*call)).cloned().collect();
            report.found.add(pool, &new).await?;
            // Before the number is gone, by which they could be found again.
            report.receipts.extend(Receipt::of(pool, &new).await?);
            known.extend(new);
            if report.erased {
                report.running.extend(erase_calls(pool, calls).await?);
            }
        }
        // From the end of the search, which may take minutes.
        if !none {
            deadline = Instant::now() + PATIENCE;
        }
        if none && (report.running.is_empty() || Instant::now() >= deadline) {
            break;
        }
        if !report.running.is_empty() {
            sleep(LOOK).await;
            let ran = Vec::from_iter(std::mem::take(&mut report.running));
            report.running = erase_calls(pool, &ran).await?;
            // A job that ran may have left one.
            report.receipts.retain(|receipt| !ran.contains(&receipt.call_id));
            report.receipts.extend(Receipt::of(pool, &ran).await?);
        }
    }
    Ok(())
}

/// Deletes the data of these calls; returns those of which a job runs.
async fn erase_calls(pool: &PgPool, call_ids: &[String]) -> sqlx::Result<BTreeSet<String>> {
    let mut connection = pool.acquire().await?;
    db::within(pruning::erase(&mut connection, call_ids)).await
}

fn print(report: &Report) {
    if report.found.calls == 0 {
        println!("no call has this number");
        return;
    }
    println!("{}", report.found.line());
    if report.erased {
        println!("their data is deleted, and those jobs are discarded");
    } else {
        println!("nothing is changed: with --yes their data is deleted, and those jobs are discarded");
    }
    if !report.receipts.is_empty() {
        println!("the vendors have, and are to be asked themselves to delete:");
    }
    for receipt in &report.receipts {
        println!("  {}", receipt.line());
    }
}
