//! Ids and tokens that nobody can mistake for one another; no secret depends on them.

use std::hash::{BuildHasher, RandomState};

/// The standard library's hasher keys are all the randomness that this needs.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}
