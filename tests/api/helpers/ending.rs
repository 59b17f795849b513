//! The end of a test: jobs that it left undone fail it, and where it failed, its processes' logs are shown.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};

use super::process::Log;

/// How long a job's end may take to be written down. A vendor is not waited for: the stand-in lives in the test's own
/// thread, which has ended.
const ACKNOWLEDGED: Duration = Duration::from_secs(20);

/// Looks at what a deployment leaves, when it is dropped; its processes must still be alive.
pub(crate) struct Ending {
    database: String,
    /// Whether every job must have ended.
    must_be_done: AtomicBool,
    logs: Mutex<Vec<(String, Log)>>,
}

impl Ending {
    pub(crate) fn of(database: &str) -> Self {
        Self { database: database.to_owned(), must_be_done: AtomicBool::new(false), logs: Mutex::default() }
    }

    /// A process of this deployment. One that works is to leave nothing undone; without one, all jobs are left.
    pub(crate) fn watch(&self, command: Option<&str>, log: Log) {
        let works = command != Some("receive");
        self.must_be_done.fetch_or(works, Ordering::Relaxed);
        self.logs.lock().unwrap().push((command.unwrap_or("receive and work").to_owned(), log));
    }

    pub(crate) fn leave_jobs(&self) {
        self.must_be_done.store(false, Ordering::Relaxed);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            for (command, log) in self.logs.lock().unwrap().iter() {
                println!("--- the log of `{command}`:\n{}", log.lock().unwrap().join("\n"));
            }
        } else if *self.must_be_done.get_mut() {
            let database = self.database.clone();
            // Within the test's runtime no other can be entered.
            let left = thread::spawn(move || left_undone(&database)).join().unwrap();
            assert!(left.is_empty(), "jobs are left undone, and the test does not say so: {left:?}");
        }
    }
}

/// The jobs that have not ended, once their number no longer changes for the better.
#[tokio::main(flavor = "current_thread")]
async fn left_undone(database: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(database).await.unwrap();
    let asked = Instant::now();
    loop {
        let query = "select concat_ws(' ', job_type, idempotency_key, status) from apalis.jobs
            where status not in ('Done', 'Killed') order by 1";
        let left: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap();
        if left.is_empty() || asked.elapsed() > ACKNOWLEDGED {
            return left;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
