//! 4. How jobs are run.
//!
//! `queue` serves apalis' queues, `runner` runs a job for a call and decides what follows from its end, `ledger` writes it
//! down, `breaker` holds back what goes to a vendor in trouble. `retention` deletes what has been kept long enough, by
//! `pruning`.

pub mod breaker;
mod known;
mod ledger;
pub(crate) mod pruning;
pub mod queue;
pub mod retention;
mod runner;
pub mod tasks;
pub mod unserved;
pub mod wake_up;
