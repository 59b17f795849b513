//! That deliveries are refused which were not before.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::{
    receiver::outcomes::{Kind, Refused},
    telemetry::{Safe, at},
};

/// A single refusal is none: the platform sends everything that it cares for again.
const ENOUGH: u64 = 2;

/// Of addresses that never delivered, one kind is told once in so long: anybody may knock.
const STRANGERS: Duration = Duration::from_hours(24);

/// What people were told, and are to be told.
#[derive(Default)]
pub(super) struct Refusing(BTreeMap<Kind, State>);

#[derive(Default)]
struct State {
    /// How many there were at the last look.
    counted: u64,
    trouble: Option<Trouble>,
    told: Option<Instant>,
}

struct Trouble {
    began_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    last_met: Instant,
    times: u64,
    known: bool,
}

impl Refusing {
    /// Looks once more at the refusals of every kind; returns what there is to tell.
    pub(super) fn look(&mut self, refusals: BTreeMap<Kind, Refused>, quiet: Duration) -> Vec<String> {
        let look = |(kind, refused)| self.0.entry(kind).or_default().look(kind, &refused, quiet);
        refusals.into_iter().filter_map(look).collect()
    }
}

impl State {
    fn look(&mut self, kind: Kind, refused: &Refused, quiet: Duration) -> Option<String> {
        let new = refused.times - std::mem::replace(&mut self.counted, refused.times);
        if new > 0 {
            let (at, now) = (refused.at, Instant::now());
            let trouble = self.trouble.get_or_insert(Trouble {
                began_at: at,
                last_at: at,
                last_met: now,
                times: 0,
                known: false,
            });
            trouble.times += new;
            (trouble.last_at, trouble.last_met) = (at, now);
            let again = kind.has_delivered || self.told.is_none_or(|told| told.elapsed() >= STRANGERS);
            if trouble.times < ENOUGH || trouble.known || !again {
                return None;
            }
            trouble.known = true;
            self.told = Some(now);
            let Refused { status, why, client, .. } = refused;
            let who = if kind.has_delivered { "delivered before" } else { "not delivered before" };
            return Some(format!(
                "deliveries of {client}, which has {who}, are refused with {status}: {}",
                Safe(why)
            ));
        }
        let Trouble { began_at, last_at, times, .. } = self
            .trouble
            .take_if(|trouble| trouble.last_met.elapsed() >= quiet)
            .filter(|trouble| trouble.known)?;
        let status = refused.status;
        let (from, to, reason) = (at(began_at), at(last_at), kind.reason);
        Some(format!(
            "over: deliveries were refused with {status} {reason} (from {from} to {to}, {times} times)"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{super::LOOK, *};
    use crate::{answer::Rejection, receiver::outcomes::Outcomes};

    const QUIET: Duration = Duration::from_secs(10);
    const PLATFORM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[derive(Default)]
    struct Receiver {
        outcomes: Outcomes,
        refusing: Refusing,
    }

    impl Receiver {
        /// Refuses so many deliveries, and looks.
        async fn refuse(&mut self, client: IpAddr, times: usize) -> Vec<String> {
            for _ in 0..times {
                self.outcomes.refused(client, &Rejection::WrongCredential { basic: false });
            }
            let told = self.refusing.look(self.outcomes.refusals(), QUIET);
            tokio::time::advance(LOOK).await;
            told
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_delivered_is_told_of_each_time_and_of_its_end() {
        let mut receiver = Receiver::default();
        receiver.outcomes.taken(PLATFORM);
        for _ in 0..2 {
            assert_eq!(receiver.refuse(PLATFORM, 1).await, [""; 0], "a single one is none");
            let told = receiver.refuse(PLATFORM, 1).await;
            assert!(
                told[0].starts_with(
                    "deliveries of 192.0.2.1, which has delivered before, are refused with 401: wrong"
                ),
                "{told:?}"
            );
            assert_eq!(receiver.refuse(PLATFORM, 7).await, [""; 0], "once");
            assert_eq!(receiver.refuse(PLATFORM, 0).await, [""; 0], "not quiet for long enough");
            let over = receiver.refuse(PLATFORM, 0).await;
            assert!(
                over[0].starts_with("over: deliveries were refused with 401 wrong_credential"),
                "{over:?}"
            );
            assert!(over[0].ends_with(", 9 times)"), "{over:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_are_told_of_once_a_day_whoever_they_are() {
        let mut receiver = Receiver::default();
        assert_eq!(receiver.refuse(STRANGER, 2).await.len(), 1);
        for n in 0..1000_u32 {
            let told = receiver.refuse(IpAddr::V4(n.into()), 3).await;
            assert!(told.iter().all(|line| line.starts_with("over: ")), "{told:?}");
        }
        for _ in 0..3 {
            receiver.refuse(STRANGER, 0).await;
        }
        assert_eq!(receiver.refuse(STRANGER, 3).await, [""; 0], "it is over, and the day is not");
        for _ in 0..3 {
            receiver.refuse(STRANGER, 0).await;
        }
        tokio::time::advance(STRANGERS).await;
        assert_eq!(receiver.refuse(STRANGER, 2).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lies_with_us_and_who_asks_for_something_else_is_no_refusal() {
        let outcomes = Outcomes::default();
        for rejection in [Rejection::NoMemory, Rejection::NotFound, Rejection::NotPost, Rejection::Gone] {
            outcomes.refused(PLATFORM, &rejection);
        }
        assert!(outcomes.refusals().is_empty());
    }
}
