//! How many requests a second a process sends to a vendor.

use std::{
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Mutex as Turn;

/// Refusals this close to each other are one: many requests are under way when a limit is met.
const ONE_REFUSAL: Duration = Duration::from_secs(10);

/// Jobs at a time, requests a job and this together must fit into a job's time limit.
const HIGHEST_PRICE: NonZeroU32 = NonZeroU32::new(4).expect("it is not 0");

/// After so long without one, twice as much is tried again.
const RECOVERY: Duration = Duration::from_mins(1);

/// A rate below the vendor's published limit; less of it while others draw on the same limit.
///
/// Other processes, and other software with the same account, share a vendor's limit, and nobody says how many they are:
/// so each refusal halves the rate of this process, down to a quarter, and each quiet minute doubles it again.
pub(super) struct Budget {
    limiter: DefaultDirectRateLimiter,
    /// Whoever came first goes first: a job has to get through within its time limit.
    turn: Turn<()>,
    highest_price: NonZeroU32,
    state: Mutex<State>,
}

struct State {
    /// How much of the budget one request takes.
    price: NonZeroU32,
    priced_at: Instant,
    paused_until: Instant,
}

impl Budget {
    /// So many requests a second, and as many at once after a quiet second.
    pub(super) fn requests_a_second(full: NonZeroU32) -> Self {
        let now = Instant::now();
        let state = Mutex::new(State { price: NonZeroU32::MIN, priced_at: now, paused_until: now });
        Self {
            limiter: RateLimiter::direct(Quota::per_second(full)),
            turn: Turn::new(()),
            highest_price: HIGHEST_PRICE.min(full),
            state,
        }
    }

    /// Waits until a request may go.
    ///
    /// # Errors
    ///
    /// The vendor has asked for a pause, and this is what is left of it: whoever waited here need not be refused as well.
    pub(super) async fn take(&self) -> Result<(), Duration> {
        let _turn = self.turn.lock().await;
        let price = self.state().price()?;
        self.limiter.until_n_ready(price).await.expect("no request costs more than the whole budget");
        self.state().price().map(drop)
    }

    /// The vendor refused a request, too many, and asks for a pause.
    pub(super) fn exceeded(&self, pause: Duration) {
        let (mut state, now) = (self.state(), Instant::now());
        if state.price == NonZeroU32::MIN || state.priced_at.elapsed() > ONE_REFUSAL {
            state.price = state.price.saturating_add(state.price.get()).min(self.highest_price);
            state.priced_at = now;
        }
        // The breaker keeps to longer pauses; this one spares the vendor what was under way.
        state.paused_until = (now + pause.min(ONE_REFUSAL)).max(state.paused_until);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a request takes now, or how long none may go.
    fn price(&mut self) -> Result<NonZeroU32, Duration> {
        let pause = self.paused_until.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            return Err(pause);
        }
        if self.priced_at.elapsed() > RECOVERY {
            self.price = NonZeroU32::new(self.price.get() / 2).unwrap_or(NonZeroU32::MIN);
            self.priced_at = Instant::now();
        }
        Ok(self.price)
    }
}
