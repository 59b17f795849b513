//! That events can't be stored.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::telemetry::at;

/// What people were told, and are to be told.
#[derive(Default)]
pub(super) struct Storing {
    /// Since when it fails, and whether people know.
    trouble: Option<(DateTime<Utc>, bool)>,
    well_since: Option<Instant>,
}

impl Storing {
    /// Looks once more; returns a line where there is one to tell. A single look that fails is none: a restart of Postgres
    /// takes less.
    pub(super) fn look(&mut self, found: Result<(), &str>, quiet: Duration) -> Option<String> {
        let Err(why) = found else {
            let well_since = *self.well_since.get_or_insert_with(Instant::now);
            let (since, known) = self.trouble?;
            if known && well_since.elapsed() < quiet {
                return None;
            }
            self.trouble = None;
            return known.then(|| format!("over: events could not be stored (from {})", at(since)));
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
        let since = at(*since);
        Some(format!(
            "events can't be stored since {since}: {why}. The platform is told 503 and tries again a few times."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::LOOK, *};

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
