//! A receiver's own alerts, which it tells without the database: of the troubles that no table can tell of.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Alerts, Failing, LOOK, PATIENCE, refusing::Refusing, storing::Storing};
use crate::{readiness::Readiness, receiver::outcomes::Outcomes, telemetry::Safe};

/// The most lines that wait for a chat that is away; older ones are news no longer.
const MOST_UNTOLD: usize = 100;

impl Alerts {
    /// Tells when this receiver can't store events, or refuses some that it did not before, and when that is over; for ever.
    pub async fn watch_receiver(self: Arc<Self>, readiness: Readiness, outcomes: Arc<Outcomes>) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut storing, mut refusing, mut untold) = (Storing::default(), Refusing::default(), Vec::new());
        let (here, mut failing) = (here(), Failing::default());
        loop {
            look.tick().await;
            let mut lines = refusing.look(outcomes.refusals(), self.quiet);
            lines.extend(storing.look(readiness.now().await, self.quiet));
            untold.extend(lines.into_iter().map(|line| with_name(&here, &line)));
            untold.drain(..untold.len().saturating_sub(MOST_UNTOLD));
            if untold.is_empty() {
                continue;
            }
            if failing.note(timeout(PATIENCE, self.send(untold.clone())).await) {
                untold.clear();
            }
        }
    }
}

/// A line with the name of the receiver, of which there may be several.
fn with_name(here: &str, line: &str) -> String {
    match line.strip_prefix("over: ") {
        Some(line) => format!("over: {here}: {line}"),
        None => format!("{here}: {line}"),
    }
}

/// Which receiver it is.
fn here() -> String {
    let name = rustix::system::uname();
    Safe(&name.nodename().to_string_lossy()).to_string()
}
