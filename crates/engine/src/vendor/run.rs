//! What one run of a job may still do at its vendors, and what it has learnt of them.
//!
//! A process that was stopped for a minute goes on where it stood, while another worker has long done the job: so a
//! request is sent only within the run's deadline. And a run that fails may still have had answers which tell that a
//! vendor is well.

use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use reqwest::{StatusCode, Url};
use tokio::time::Instant;

tokio::task_local! {
    static RUN: Run;
}

struct Run {
    deadline: Instant,
    well: RefCell<BTreeSet<String>>,
}

/// Runs `future` with a deadline after which [`Vendor::send`](super::Vendor::send) sends nothing more, and notes which
/// origins answered.
///
/// Returns what it returned and the origins that gave an answer telling that they are well (any HTTP status but 401, 408,
/// 429 and 5xx). What the future spawns is not watched.
pub async fn watched<F: Future>(deadline: Instant, future: F) -> (F::Output, BTreeSet<String>) {
    let run = Run { deadline, well: RefCell::default() };
    RUN.scope(run, async {
        let output = future.await;
        (output, RUN.with(|run| run.well.take()))
    })
    .await
}

/// Whether the run's deadline is over; outside of a run there is none.
pub(super) fn is_over() -> bool {
    RUN.try_with(|run| Instant::now() >= run.deadline).unwrap_or(false)
}

/// How much of the run's time is left; `None` outside of a run.
pub(crate) fn left() -> Option<Duration> {
    RUN.try_with(|run| run.deadline.saturating_duration_since(Instant::now())).ok()
}

/// Notes an answer of this status from this URL.
pub(super) fn answered(url: &Url, status: StatusCode) {
    let unwell = matches!(status.as_u16(), 401 | 408 | 429 | 500..);
    if !unwell {
        // Outside of a run nobody asks.
        let _unwatched = RUN.try_with(|run| run.well.borrow_mut().insert(url.origin().ascii_serialization()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("it is a URL")
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_is_over_at_its_deadline_and_without_a_run_nothing_ever_is() {
        assert!(!is_over());
        let deadline = Instant::now() + Duration::from_secs(20);
        let (over, _) = watched(deadline, async {
            let before = is_over();
            tokio::time::sleep(Duration::from_secs(20)).await;
            (before, is_over())
        })
        .await;
        assert_eq!(over, (false, true));
    }

    #[tokio::test]
    async fn the_origins_that_are_well_are_those_whose_answer_blames_the_request_at_most() {
        answered(&url("https://elsewhere.example/"), StatusCode::OK);
        let (output, well) = watched(Instant::now(), async {
            for status in [401, 408, 429, 500, 503, 599] {
                answered(&url("https://ill.example/"), StatusCode::from_u16(status).expect("it is a status"));
            }
            answered(&url("https://well.example:8443/a/path?with=a#query"), StatusCode::OK);
            answered(&url("https://well.example:8443/other"), StatusCode::CONFLICT);
            answered(&url("http://refuses.example/"), StatusCode::UNPROCESSABLE_ENTITY);
            "done"
        })
        .await;
        assert_eq!(output, "done");
        assert_eq!(Vec::from_iter(well), ["http://refuses.example", "https://well.example:8443"]);
    }
}
