//! How many requests a process sends to a vendor, whichever of its jobs sends them.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::Url;
use tokio::{
    sync::{Mutex as Queue, MutexGuard as First},
    time::{Instant, sleep_until},
};

/// The longest pause of a budget. The breaker keeps to longer ones; this one spares the vendor what was under way.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// For so long after a refusal half as much is sent. With less, all jobs that run at a time would hardly get through within
/// their time limit.
const RECOVERY: Duration = Duration::from_mins(1);

/// By what is limited, and where.
type Shared = Mutex<HashMap<(&'static str, String), Arc<Budget>>>;

static SHARED: LazyLock<Shared> = LazyLock::new(Shared::default);

/// A rate below the vendor's published limit; less of it while others draw on the same limit.
///
/// Other processes, and other software with the same account, share a vendor's limit, and nobody says how many they are:
/// so a refusal halves the rate of this process for a minute. Where that is not enough, the pauses that the vendor asks for are.
pub struct Budget {
    /// The time that one request takes up where nothing was refused.
    each: Duration,
    /// How much of that may be used at once after a pause.
    at_once: Duration,
    /// Whoever came first goes first: a job has to get through within its time limit.
    queue: Queue<()>,
    state: Mutex<State>,
}

struct State {
    /// Until when the time is taken up by the requests that have gone.
    taken_until: Instant,
    refused_at: Option<Instant>,
    paused_until: Instant,
}

impl Budget {
    /// No more than so many requests in any stretch of time as long as `window`: a tenth of them at once after a pause, and
    /// the others evenly.
    #[must_use]
    pub fn new(requests: NonZeroU32, window: Duration) -> Self {
        let at_once = (requests.get() / 10).max(1);
        let (now, each) = (Instant::now(), window / (requests.get() + 1 - at_once));
        let state = State { taken_until: now, refused_at: None, paused_until: now };
        Self { each, at_once: each * at_once, queue: Queue::new(()), state: Mutex::new(state) }
    }

    /// The one budget of this process for `what` is limited at this origin: the vendor's name, or that and a kind of request.
    ///
    /// A vendor counts an account's requests, and not a job's or a client's. So it is made for the first client, at whose rate
    /// it stays, and every other at this origin draws on the same, also the one that takes its place with a new key.
    #[must_use]
    pub fn shared(what: &'static str, origin: &Url, make: impl FnOnce() -> Self) -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = origin.origin().ascii_serialization();
        Arc::clone(shared.entry((what, origin)).or_insert_with(|| Arc::new(make())))
    }

    /// Waits until a request may go, and takes its share.
    ///
    /// # Errors
    ///
    /// The vendor has asked for a pause, and this is what is left of it: whoever waited here need not be refused as well.
    pub async fn take(&self) -> Result<(), Duration> {
        self.turn().await?.take()
    }

    /// Waits until a request may go; it takes its share later, when it goes.
    ///
    /// For a request under two limits: one that took its share first and then waited for the other limit would leave too soon
    /// after the one before it.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
    pub async fn turn(&self) -> Result<Turn<'_>, Duration> {
        let first = self.queue.lock().await;
        let (cost, taken_until) = {
            let state = self.state();
            (self.each * state.price()?, state.taken_until)
        };
        sleep_until(taken_until + cost - self.at_once.max(cost)).await;
        Ok(Turn { budget: self, cost, _first: first })
    }

    /// The vendor refused a request, too many, and asks for a pause.
    pub fn exceeded(&self, pause: Duration) {
        let (mut state, now) = (self.state(), Instant::now());
        state.refused_at = Some(now);
        state.paused_until = (now + pause.min(LONGEST_PAUSE)).max(state.paused_until);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to go next, for which all others wait.
pub struct Turn<'a> {
    budget: &'a Budget,
    cost: Duration,
    _first: First<'a, ()>,
}

impl Turn<'_> {
    /// Takes the share.
    ///
    /// # Errors
    ///
    /// As [`Budget::take`].
    pub fn take(self) -> Result<(), Duration> {
        let mut state = self.budget.state();
        state.price()?;
        state.taken_until = state.taken_until.max(Instant::now()) + self.cost;
        Ok(())
    }
}

impl State {
    /// How many times its share of the time a request takes up now, or how long none may go.
    fn price(&self) -> Result<u32, Duration> {
        let pause = self.paused_until.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            return Err(pause);
        }
        let is_less = self.refused_at.is_some_and(|refused| refused.elapsed() <= RECOVERY);
        Ok(if is_less { 2 } else { 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget(requests: u32, window: Duration) -> Budget {
        Budget::new(NonZeroU32::new(requests).expect("it is not 0"), window)
    }

    /// How long so many requests take.
    async fn time(budget: &Budget, requests: u32) -> Duration {
        let begun = Instant::now();
        for _ in 0..requests {
            budget.take().await.expect("it is not paused");
        }
        begun.elapsed()
    }

    /// The same to a tenth of a second: tokio's timers are in milliseconds.
    async fn tenths(budget: &Budget, requests: u32) -> u128 {
        (time(budget, requests).await.as_millis() + 50) / 100
    }

    #[tokio::test(start_paused = true)]
    async fn no_stretch_of_time_has_more_requests_than_its_window_may() {
        for (requests, window) in [(1, SECOND), (5, SECOND), (90, SECOND * 10), (300, SECOND * 60)] {
            let budget = budget(requests, window);
            let mut at = Vec::new();
            for pause in [Duration::ZERO, window * 3, window / 3] {
                tokio::time::sleep(pause).await;
                for _ in 0..requests * 2 {
                    budget.take().await.expect("it is not paused");
                    at.push(Instant::now());
                }
            }
            // tokio's timers are in milliseconds.
            let almost = window.saturating_sub(Duration::from_millis(2));
            let most =
                at.iter().map(|&first| at.iter().filter(|&&at| at >= first && at < first + almost).count());
            assert_eq!(most.max(), Some(requests as usize), "{requests} in {window:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenth_goes_at_once_and_all_further_ones_evenly() {
        let budget = budget(90, SECOND * 10);
        assert_eq!(tenths(&budget, 9).await, 0);
        assert_eq!(tenths(&budget, 82).await, 100);
        tokio::time::sleep(SECOND * 60).await;
        assert_eq!(tenths(&budget, 10).await, 1, "a quiet minute saves no more than the tenth");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_with_the_turn_in_hand_goes_as_far_from_the_next_as_without() {
        let budget = budget(4, SECOND);
        let turn = budget.turn().await.expect("it is not paused");
        let (next, ()) = tokio::join!(time(&budget, 1), async {
            tokio::time::sleep(SECOND * 3).await;
            turn.take().expect("it is not paused");
        });
        assert!(next >= SECOND * 13 / 4, "{next:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_goes_during_a_pause_and_the_longest_is_ten_seconds() {
        let budget = budget(5, SECOND);
        budget.exceeded(SECOND * 3);
        assert_eq!(budget.take().await, Err(SECOND * 3));
        budget.exceeded(SECOND * 600);
        assert_eq!(budget.take().await, Err(SECOND * 10));
        budget.exceeded(SECOND);
        assert_eq!(budget.take().await, Err(SECOND * 10), "a shorter pause takes nothing back");
        tokio::time::sleep(SECOND * 10).await;
        assert_eq!(budget.take().await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_when_a_pause_is_asked_for_is_told_of_it() {
        let budget = budget(1, SECOND);
        budget.take().await.expect("it is not paused");
        let (waited, ()) = tokio::join!(budget.take(), async {
            tokio::time::sleep(SECOND / 2).await;
            budget.exceeded(SECOND * 5);
        });
        assert!(waited.is_err(), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_halves_the_rate_for_a_minute_however_many_more_there_are() {
        let budget = budget(10, SECOND);
        // The first second's are used up: what follows shows the rate.
        time(&budget, 10).await;
        for _ in 0..3 {
            budget.exceeded(Duration::ZERO);
            time(&budget, 10).await;
            assert_eq!(tenths(&budget, 10).await, 20);
        }
        tokio::time::sleep(RECOVERY).await;
        time(&budget, 10).await;
        assert_eq!(tenths(&budget, 10).await, 10);
    }

    #[tokio::test]
    async fn who_is_limited_together_has_one_budget_and_others_have_theirs() {
        let origin = |url: &str| url.parse().expect("it is a URL");
        let shared = |what, url| Budget::shared(what, &origin(url), || budget(5, SECOND));
        let one = shared("requests", "https://vendor.example/v1");
        assert!(Arc::ptr_eq(&one, &shared("requests", "https://vendor.example/v2?key=new")));
        assert!(!Arc::ptr_eq(&one, &shared("searches", "https://vendor.example/v1")));
        assert!(!Arc::ptr_eq(&one, &shared("requests", "https://other.example/v1")));
    }
}
