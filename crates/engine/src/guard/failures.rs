//! Counts failed credentials: more of them a second from one address than allowed are told 429.
//!
//! On the webhook that is a courtesy to the log and to who has mistyped a secret, and no defence: the right credential is
//! compared first and always heard, since the platform may share its address with others, and a 429 would cost it one of
//! its six retries. What keeps guesses out there is the length of the secret.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{DefaultKeyedRateLimiter, Quota};

use crate::{answer::Rejection, serve::household};

/// Addresses remembered before the quiet ones are forgotten: memory stays bounded whoever knocks.
pub(crate) const MOST_ADDRESSES: usize = 10_000;

pub(crate) struct Failures {
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Failures {
    /// So many a second, and address, are let pass; with 0 all of them.
    pub(crate) fn new(a_second: u32) -> Self {
        let quota = NonZeroU32::new(a_second).map(Quota::per_second);
        Self { limiter: quota.map(DefaultKeyedRateLimiter::dashmap) }
    }

    /// The rejection, or 429 in its place when this address has failed too often.
    pub(super) fn count(&self, client: IpAddr, rejection: Rejection) -> Rejection {
        if self.too_many(client) { Rejection::TooManyFailures } else { rejection }
    }

    /// Counts a failure, and says whether there were too many.
    pub(crate) fn too_many(&self, client: IpAddr) -> bool {
        let Some(limiter) = &self.limiter else { return false };
        if limiter.len() > MOST_ADDRESSES {
            limiter.retain_recent();
        }
        limiter.check_key(&household(client)).is_err()
    }
}
