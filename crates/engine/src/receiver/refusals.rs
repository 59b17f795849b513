//! Deliveries that were refused: each with a line of its own in the log while they are few, summed up while they are many.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{answer::Rejection, serve::household};

/// The most lines a second; whoever mistypes a secret sees each of them.
const LINES_A_SECOND: u32 = 20;

/// How often the rest is told.
const PERIOD: Duration = Duration::from_secs(10);

/// The most addresses and reasons that are counted apart, and the most that are told: memory and log stay bounded whoever
/// knocks.
const MOST_COUNTED: usize = 1000;
const MOST_TOLD: usize = 20;

/// Counts what has no line of its own.
#[derive(Default)]
pub struct Refusals {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    second: Option<Instant>,
    lines: u32,
    more: HashMap<(IpAddr, &'static str), u64>,
    /// From addresses for which there was no place.
    others: u64,
}

impl Refusals {
    /// Takes note of one, and returns whether it has a line of its own.
    pub fn note(&self, client: IpAddr, rejection: &Rejection) -> bool {
        let counts = &mut *self.counts();
        let now = Instant::now();
        if counts.second.is_none_or(|begun| now - begun >= Duration::from_secs(1)) {
            (counts.second, counts.lines) = (Some(now), 0);
        }
        if counts.lines < LINES_A_SECOND {
            counts.lines += 1;
            return true;
        }
        let key = (household(client), rejection.reason());
        let has_place = counts.more.len() < MOST_COUNTED || counts.more.contains_key(&key);
        *if has_place { counts.more.entry(key).or_default() } else { &mut counts.others } += 1;
        false
    }

    /// Sums up every few seconds, and once more at the end.
    pub async fn sum_up(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(PERIOD)).await.is_some() {
            self.tell();
        }
        self.tell();
    }

    fn tell(&self) {
        let (more, mut others) = {
            let counts = &mut *self.counts();
            (std::mem::take(&mut counts.more), std::mem::take(&mut counts.others))
        };
        let mut more: Vec<_> = more.into_iter().collect();
        more.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(*count));
        others += more.split_off(more.len().min(MOST_TOLD)).into_iter().map(|(_, count)| count).sum::<u64>();
        for ((client, reason), count) in more {
            tracing::warn!(%client, reason, count, "more deliveries were refused than have a line each");
        }
        if others > 0 {
            tracing::warn!(
                count = others,
                "more deliveries of other addresses were refused than have a line each"
            );
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(refusals: &Refusals, times: u64, last_byte: u8) -> u64 {
        (0..times)
            .map(|_| u64::from(refusals.note([192, 0, 2, last_byte].into(), &Rejection::NoCredential)))
            .sum()
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_a_second_have_lines_and_the_rest_is_counted_by_address_and_reason() {
        let refusals = Refusals::default();
        assert_eq!(note(&refusals, 1000, 1), 20);
        assert_eq!(note(&refusals, 5, 2), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(note(&refusals, 1, 1), 1);
        let counts = refusals.counts();
        assert_eq!(counts.more[&([192, 0, 2, 1].into(), "no_credential")], 980);
        assert_eq!(counts.more[&([192, 0, 2, 2].into(), "no_credential")], 5);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_addresses_are_counted_apart_and_no_more() {
        let refusals = Refusals::default();
        note(&refusals, 20, 1);
        for n in 0..3000_u32 {
            refusals.note(IpAddr::V4(n.into()), &Rejection::NoCredential);
        }
        let counts = refusals.counts();
        assert_eq!((counts.more.len(), counts.others), (1000, 2000));
    }
}
