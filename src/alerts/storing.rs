//! A receiver's own alert: that events can't be stored. The one trouble that no table can tell of, so each receiver tells
//! it for itself, and without the database.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{Alerts, LOOK, PATIENCE, at};
use crate::{readiness::Readiness, telemetry::Safe};

/// What people were told, and are to be told.
#[derive(Default)]
struct Storing {
    /// Since when it fails, and whether people know.
    trouble: Option<(DateTime<Utc>, bool)>,
    well_since: Option<Instant>,
}

impl Storing {
    /// Looks once more; returns a line where there is one to tell. A single look that fails is none: a restart of Postgres
    /// takes less.
    fn look(&mut self, found: Result<(), &str>, quiet: Duration) -> Option<String> {
        let Err(why) = found else {
            let well_since = *self.well_since.get_or_insert_with(Instant::now);
            let (since, known) = self.trouble?;
            if known && well_since.elapsed() < quiet {
                return None;
            }
            self.trouble = None;
            return known
                .then(|| format!("over: {}: events could not be stored (from {})", here(), at(since)));
        };
        self.well_since = None;
        let Some((since, known)) = &mut self.trouble else {
            self.trouble = Some((Utc::now(), false));
            return None;
        };
        if *known {
            return None;
        }
        *known = true;
        Some(format!(
            "{}: events can't be stored since {}: {why}. The platform is told 503 and tries again a few times.",
            here(),
            at(*since)
        ))
    }
}

impl Alerts {
    /// Tells when this receiver can't store events, and when it can again, for ever.
    pub async fn watch_storing(self: Arc<Self>, readiness: Readiness) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut storing, mut untold) = (Storing::default(), Vec::new());
        loop {
            look.tick().await;
            untold.extend(storing.look(readiness.now().await, self.quiet));
            if untold.is_empty() {
                continue;
            }
            let told = timeout(PATIENCE, self.send(untold.clone())).await;
            match told.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", PATIENCE.as_secs()))) {
                Ok(()) => untold.clear(),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!("an alert can't be told, and is tried again: {}", Safe(&error));
                }
            }
        }
    }
}

/// Which receiver it is.
fn here() -> String {
    let name = rustix::system::uname();
    Safe(&name.nodename().to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_trouble_of_two_looks_is_told_once_and_its_end_after_some_quiet() {
        let quiet = Duration::from_secs(10);
        let mut storing = Storing::default();
        let mut lines = Vec::new();
        for well in [true, false, true, false, false, false, true, false, true, true, true, true] {
            let found = if well { Ok(()) } else { Err("no database") };
            lines.push(storing.look(found, quiet).map(|line| line.starts_with("over: ")));
            tokio::time::advance(LOOK).await;
        }
        let mut expected = [None; 12];
        (expected[4], expected[10]) = (Some(false), Some(true));
        assert_eq!(lines, expected);
    }
}
