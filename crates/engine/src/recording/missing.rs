//! Why a recording is not to be had, and whether it may be later.

use std::time::Duration;

use chrono::Utc;

use crate::{call::Call, job::JobError};

/// Why a recording is not to be had. Nothing of its link is in it, which may be signed, and nothing that its host said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Its host answers this status, with which hosts also answer before it is there: platforms need minutes to make it.
    #[error("it is not there ({0})")]
    NotYet(u16),
    /// Our rules forbid to follow its link, and nobody was asked.
    #[error("{0}")]
    Refused(&'static str),
    /// Its host answers a status that no waiting changes.
    #[error("its host answers {0}")]
    Denied(u16),
    /// It is larger than the vendor takes.
    #[error("it is larger than {} MB", .0 / 1_000_000)]
    TooLarge(u64),
    /// What is there is no audio.
    #[error("what its link leads to is no audio")]
    NoAudio,
    /// Neither a length nor chunks: one that was cut off would look like a whole one.
    #[error("its host does not say where it ends")]
    Endless,
    /// Its host is in trouble.
    #[error("{0}")]
    Later(&'static str),
}

/// How soon after a call its recording is asked for again, at first and at most.
const SOONEST: Duration = Duration::from_secs(15);
const LATEST: Duration = Duration::from_mins(5);

impl Missing {
    /// How the job comes back for it, where it may be there later: `wait` is how long after the delivery it may take to appear.
    /// A host in trouble is the job's own failure, which has no end before `JOB_GIVE_UP_AFTER`.
    #[must_use]
    pub fn again(&self, call: &Call, wait: Duration) -> Option<JobError> {
        match self {
            Self::NotYet(_) => {
                // Of our own clock: a call's times are its sender's.
                let waited = (Utc::now() - call.received_at).to_std().unwrap_or_default();
                let left = wait.checked_sub(waited)?;
                // Half as long again each time: one that appears after four minutes is had before six. Each look asks the vendor, too,
                // whether it is there, and what waits must not take the place of what can be done.
                let after = (waited / 2).clamp(SOONEST, LATEST).min(left);
                Some(JobError::Awaits { reason: format!("the recording is awaited: {self}"), after })
            }
            Self::Later(_) => Some(JobError::Retry(format!("the recording can't be fetched: {self}"))),
            _ => None,
        }
    }

    /// What is said where a vendor has the recording's link, and will have no more.
    #[must_use]
    pub fn leaves_link(&self) -> String {
        format!("only its link is here, which may expire: {self}")
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn again(missing: &Missing, minutes_ago: i64) -> Option<JobError> {
        let received_at = Utc::now() - TimeDelta::minutes(minutes_ago);
        missing.again(&Call { received_at, ..Call::default() }, Duration::from_mins(30))
    }

    #[test]
    fn one_that_is_not_there_is_asked_for_soon_and_then_less_often_until_its_time_is_over() {
        for (minutes_ago, seconds) in [(-1, 15), (0, 15), (4, 120), (8, 240), (24, 300), (29, 59)] {
            let Some(JobError::Awaits { after, .. }) = again(&Missing::NotYet(404), minutes_ago) else {
                panic!("{minutes_ago}");
            };
            assert_eq!(after.as_secs(), seconds, "{minutes_ago}");
        }
        assert!(again(&Missing::NotYet(404), 30).is_none());
    }

    #[test]
    fn a_host_in_trouble_is_a_failure_at_any_time_and_what_is_refused_never_comes_back() {
        let troubled = again(&Missing::Later("its host can't be reached"), 600);
        assert!(matches!(troubled, Some(JobError::Retry(_))));
        for missing in [
            Missing::Refused("x"),
            Missing::Denied(410),
            Missing::TooLarge(1),
            Missing::NoAudio,
            Missing::Endless,
        ] {
            assert!(again(&missing, 0).is_none(), "{missing}");
        }
    }
}
