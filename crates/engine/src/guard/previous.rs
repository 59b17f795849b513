//! Deliveries under a secret from before a rotation: whoever rotates wants to know when there are none left.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::metrics;

/// How often they are told.
const PAUSE: Duration = Duration::from_mins(1);

/// Counts the deliveries under one previous secret.
pub(super) struct Previous {
    name: &'static str,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    /// Since the last line.
    deliveries: u64,
    told: Option<Instant>,
}

impl Previous {
    /// Of the secret in the variable of this name.
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, counted: Mutex::default() }
    }

    /// One more; the first is told at once, and those after it once a minute at the most.
    pub(super) fn count(&self) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.deliveries += 1;
        metrics::previous_secret_used();
        if counted.told.is_none_or(|told| told.elapsed() >= PAUSE) {
            tracing::warn!(
                deliveries = counted.deliveries,
                "the platform still sends the secret of {}: finish the rotation there",
                self.name
            );
            *counted = Counted { deliveries: 0, told: Some(Instant::now()) };
        }
    }
}
