//! Wrong passwords, counted by address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    guard::failures::{Failures, MOST_ADDRESSES},
    serve::household,
};

/// Wrong passwords a second from one address. After that nothing it sends is compared for [`REFUSED_FOR`], not even the
/// right one: whoever guesses must not learn which it was.
const WRONG_PASSWORDS: u32 = 10;
const REFUSED_FOR: Duration = Duration::from_secs(1);

pub(super) struct Attempts {
    failures: Failures,
    /// Who has failed too often.
    refused: Marked,
    /// Whose looking stands in the log.
    told: Marked,
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self { failures: Failures::new(WRONG_PASSWORDS), refused: Marked::default(), told: Marked::default() }
    }

    /// Whether nothing of this address is compared now.
    pub(super) fn refuses(&self, client: IpAddr) -> bool {
        self.refused.holds(client)
    }

    /// Counts a wrong password, and says whether there were too many.
    pub(super) fn failed(&self, client: IpAddr) -> bool {
        let too_many = self.failures.too_many(client);
        if too_many {
            self.refused.mark(client, REFUSED_FOR);
            tracing::warn!(%client, "too many wrong passwords for the console: the address is refused for a second");
        } else {
            tracing::warn!(%client, "a wrong password for the console");
        }
        too_many
    }

    /// Whether this address is to be told of; after that it isn't for as long as this.
    pub(super) fn is_news(&self, client: IpAddr, told_for: Duration) -> bool {
        let news = !self.told.holds(client);
        if news {
            self.told.mark(client, told_for);
        }
        news
    }
}

/// Addresses, and until when something holds for each.
#[derive(Default)]
struct Marked(Mutex<HashMap<IpAddr, Instant>>);

impl Marked {
    fn holds(&self, address: IpAddr) -> bool {
        let marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marked.get(&household(address)).is_some_and(|until| Instant::now() < *until)
    }

    fn mark(&self, address: IpAddr, holds_for: Duration) {
        let mut marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if marked.len() >= MOST_ADDRESSES {
            marked.retain(|_, until| now < *until);
        }
        marked.insert(household(address), now + holds_for);
    }
}
