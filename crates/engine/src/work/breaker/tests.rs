use tokio::time::advance;

use super::*;

const LONGEST: Duration = Duration::from_hours(3);

fn breaker() -> Arc<Breaker> {
    Breakers::new(WakeUp::default()).of("https://vendor.example")
}

fn down() -> Result<Outcome, JobError> {
    Err(ClientError::Down("503".to_owned()).into())
}

fn busy(seconds: u64) -> Result<Outcome, JobError> {
    Err(ClientError::Busy { reason: "429".to_owned(), after: Duration::from_secs(seconds) }.into())
}

#[expect(clippy::unnecessary_wraps, reason = "a run's result")]
fn done() -> Result<Outcome, JobError> {
    Ok(Outcome::done("note", "1").into())
}

#[expect(clippy::unnecessary_wraps, reason = "a run's result")]
fn skipped() -> Result<Outcome, JobError> {
    Ok(Outcome::Skipped("no ticket named".to_owned()))
}

/// Tells of a run that began while the breaker was closed.
fn tell(breaker: &Breaker, call_id: &str, result: &Result<Outcome, JobError>) -> Verdict {
    breaker.tell(&Run { call_id, result, answered: false, probe: false }, LONGEST)
}

/// Fetches as a probe, and tells how it ended.
fn probe(breaker: &Arc<Breaker>, result: &Result<Outcome, JobError>, answered: bool) {
    let Some(Grant::One(_probe)) = breaker.grant() else { panic!("no probe may go") };
    assert!(breaker.grant().is_none(), "one probe at a time");
    breaker.tell(&Run { call_id: "cl_probe", result, answered, probe: true }, LONGEST);
}

fn is_open(breaker: &Arc<Breaker>) -> bool {
    !matches!(breaker.grant(), Some(Grant::Any))
}

/// Whether a probe may go now.
fn is_open_for_one(breaker: &Arc<Breaker>) -> bool {
    matches!(breaker.grant(), Some(Grant::One(_)))
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_the_third_run_in_a_row_that_finds_the_vendor_down() {
    let breaker = breaker();
    assert_eq!(tell(&breaker, "cl_1", &down()), Verdict::Job);
    assert_eq!(tell(&breaker, "cl_2", &down()), Verdict::Job);
    assert!(!is_open(&breaker));
    assert_eq!(tell(&breaker, "cl_3", &down()), Verdict::Vendor(FIRST_PROBE));
    assert!(is_open(&breaker));
}

#[tokio::test(start_paused = true)]
async fn what_one_call_alone_meets_opens_nothing() {
    let breaker = breaker();
    for _ in 0..10 {
        assert_eq!(tell(&breaker, "cl_1", &down()), Verdict::Job);
    }
    assert!(!is_open(&breaker));
}

#[tokio::test(start_paused = true)]
async fn runs_that_say_nothing_of_the_vendor_neither_interrupt_a_row_nor_close() {
    let silent: [Result<Outcome, JobError>; 4] = [
        skipped(),
        Err(JobError::GiveUp("nothing to do it with".to_owned())),
        Err(JobError::Retry("it panicked".to_owned())),
        Err(ClientError::Stop("the custom field holds no number".to_owned()).into()),
    ];
    let breaker = breaker();
    for (call, result) in ["cl_1", "cl_2", "cl_3"].into_iter().zip(&silent) {
        tell(&breaker, call, &down());
        tell(&breaker, "cl_other", result);
    }
    assert!(is_open(&breaker), "three in a row, whatever was skipped between them");
    advance(FIRST_PROBE).await;
    for result in &silent {
        probe(&breaker, result, false);
        assert!(is_open_for_one(&breaker), "the next may probe at once: {result:?}");
    }
    probe(&breaker, &silent[3], true);
    assert!(!is_open(&breaker), "a refusal is an answer");
}

#[tokio::test(start_paused = true)]
async fn an_answer_between_failures_begins_the_row_anew() {
    let breaker = breaker();
    for call in ["cl_1", "cl_2", "cl_3", "cl_4"] {
        tell(&breaker, call, &down());
        tell(&breaker, "cl_well", &done());
    }
    assert!(!is_open(&breaker));
}

#[tokio::test(start_paused = true)]
async fn a_pause_lasts_as_long_as_the_vendor_asks_whatever_else_is_under_way() {
    let breaker = breaker();
    assert_eq!(tell(&breaker, "cl_1", &busy(12)), Verdict::Vendor(Duration::from_secs(12)));
    // Sent before the pause, answered in it.
    tell(&breaker, "cl_2", &done());
    tell(&breaker, "cl_3", &busy(2));
    advance(Duration::from_secs(11)).await;
    assert!(breaker.grant().is_none(), "nothing may go");
    assert!(breaker.holds_back(false), "nor what was fetched before");
    advance(Duration::from_secs(1)).await;
    assert!(is_open_for_one(&breaker));
    assert_eq!(
        breaker
            .tell(&Run { call_id: "cl_4", result: &busy(u64::MAX), answered: false, probe: true }, LONGEST),
        Verdict::Vendor(LONGEST)
    );
}

#[tokio::test(start_paused = true)]
async fn probes_come_after_one_two_four_and_then_every_five_seconds() {
    let breaker = breaker();
    tell(&breaker, "cl_1", &Err(ClientError::Unauthorized("401".to_owned()).into()));
    for wait in [1, 2, 4, 5, 5] {
        advance(Duration::from_millis(wait * 1000 - 1)).await;
        assert!(breaker.grant().is_none(), "before {wait} s");
        advance(Duration::from_millis(1)).await;
        probe(&breaker, &down(), false);
    }
    advance(LONGEST_PROBE).await;
    probe(&breaker, &done(), true);
    assert!(!is_open(&breaker));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_thing_holds_back_its_job_alone() {
    let breaker = breaker();
    let limited = ClientError::Limited { reason: "429".to_owned(), after: Duration::from_mins(5) };
    assert_eq!(tell(&breaker, "cl_1", &Err(limited.into())), Verdict::Vendor(Duration::from_mins(5)));
    assert!(!is_open(&breaker));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_found_no_job_leaves_its_place_to_the_next() {
    let breaker = breaker();
    tell(&breaker, "cl_1", &busy(1));
    advance(FIRST_PROBE).await;
    drop(breaker.grant());
    assert!(is_open_for_one(&breaker));
}
