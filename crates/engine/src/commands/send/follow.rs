//! What becomes of a call that was sent.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use sqlx::PgPool;
use tokio::time::sleep;

use crate::{
    commands::values::said,
    telemetry::{Safe, millis},
};

/// How often the database is asked.
const LOOK: Duration = Duration::from_millis(50);

/// A job, as the view `call_job` has it.
struct Job {
    name: String,
    state: String,
    reason: Option<String>,
    made: Option<String>,
    external_id: Option<String>,
    url: Option<String>,
    note: Option<String>,
}

/// Prints how each job of the event ends, with the milliseconds since then, and why one is tried again.
///
/// # Errors
///
/// A job was given up, or has not ended after so many seconds, or the database can't be asked, or is not the receiver's.
pub(super) async fn jobs(pool: &PgPool, event_id: &str, begun: Instant, limit: u64) -> anyhow::Result<()> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from call_event where event_id = $1) as "known!""#,
        event_id
    );
    ensure!(
        said(known.fetch_one(pool).await)?,
        "the event is not in the database of DATABASE_URL: it must be that of the receiver"
    );
    let mut shown = BTreeMap::new();
    loop {
        let jobs = said(look(pool, event_id).await)?;
        if jobs.is_empty() {
            println!("    it starts no job");
        }
        for job in &jobs {
            let line = job.line();
            if job.has_news() && shown.insert(job.name.clone(), line.clone()).as_ref() != Some(&line) {
                println!("    {} ({} ms)", Safe(&line), millis(begun));
            }
        }
        let open: Vec<_> = jobs.iter().filter(|job| !job.has_ended()).map(|job| job.name.as_str()).collect();
        if open.is_empty() {
            ensure!(jobs.iter().all(|job| job.state != "given up"), "not all is done: the reason is above");
            return Ok(());
        }
        if begun.elapsed() >= Duration::from_secs(limit) {
            bail!(
                "not done after {limit} s: {}. Is a worker running, with this job in its JOBS?",
                open.join(", ")
            );
        }
        sleep(LOOK).await;
    }
}

impl Job {
    fn has_ended(&self) -> bool {
        ["done", "skipped", "given up"].contains(&self.state.as_str())
    }

    fn has_news(&self) -> bool {
        self.has_ended() || ["retrying", "paused"].contains(&self.state.as_str())
    }

    fn line(&self) -> String {
        let Self { name, state, reason, made, external_id, url, note } = self;
        let receipt = [made, external_id, url, note].map(|part| part.as_deref().unwrap_or_default());
        let told = if state == "done" { receipt.join(" ") } else { reason.clone().unwrap_or_default() };
        format!("{name} {state}: {}", told.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

async fn look(pool: &PgPool, event_id: &str) -> sqlx::Result<Vec<Job>> {
    sqlx::query_as!(
        Job,
        r#"
        select job as "name!", state as "state!", last_reason as reason, made, external_id, url, note
        from call_job where event_id = $1 order by job
        "#,
        event_id,
    )
    .fetch_all(pool)
    .await
}
