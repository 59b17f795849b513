//! A job of an event, as the view `call_job` tells it.

use std::{collections::HashMap, fmt, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::call::followable;

#[derive(Default)]
pub(super) struct Job {
    pub(super) event_id: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) attempts: i32,
    pub(super) crashes: i32,
    pub(super) next_try_at: Option<DateTime<Utc>>,
    pub(super) last_reason: Option<String>,
    pub(super) made: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) url: Option<String>,
    pub(super) note: Option<String>,
    pub(super) destination: Option<String>,
}

impl Job {
    /// The jobs of these events.
    pub(super) async fn of(pool: &PgPool, event_ids: &[String]) -> sqlx::Result<HashMap<String, Vec<Self>>> {
        let rows = sqlx::query_as!(
            Job,
            r#"
            select event_id as "event_id!", job as "name!", state as "state!", attempts as "attempts!",
                   crashes as "crashes!", next_try_at, last_reason, made, external_id, url, note, destination
            from call_job where event_id = any($1) order by job
            "#,
            event_ids,
        )
        .fetch_all(pool)
        .await?;
        let mut jobs: HashMap<_, Vec<_>> = HashMap::new();
        for job in rows {
            jobs.entry(job.event_id.clone()).or_default().push(job);
        }
        Ok(jobs)
    }

    /// The vendor's page, where a browser may follow the link.
    pub(super) fn link(&self) -> Option<&str> {
        self.url.as_deref().filter(|url| followable(url))
    }

    /// The state as a class of the style sheet.
    pub(super) fn class(&self) -> String {
        self.state.replace(' ', "-")
    }

    /// Whether a person may let it run now: it was given up, or waits for its next try.
    pub(super) fn is_missing(&self) -> bool {
        self.state == "given up" || self.wait().is_some()
    }

    /// Whether a person may let it run again.
    pub(super) fn has_ended(&self) -> bool {
        ["done", "skipped"].contains(&self.state.as_str())
    }

    /// How long until the next try; none when it is due.
    pub(super) fn wait(&self) -> Option<Seconds> {
        let wait = (self.next_try_at? - Utc::now()).num_seconds();
        (wait > 0).then_some(Seconds(wait))
    }
}

/// A span of time: `271` reads `4m 31s`.
#[derive(Clone, Copy, sqlx::Type)]
#[sqlx(transparent)]
pub(super) struct Seconds(pub(super) i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        humantime::format_duration(Duration::from_secs(self.0.unsigned_abs())).fmt(f)
    }
}
