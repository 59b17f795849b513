//! How an event stands, in a sentence or two for each job that is not done.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    call::Attempt,
    job::{Job, Seconds},
};

/// How one job stands, or all of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The job's state, as a class of the style sheet.
    pub(super) class: String,
    pub(super) text: String,
}

/// The worst first; one word where there is nothing to say.
pub(super) fn of(jobs: &[(Job, Vec<Attempt>)], give_up_after: Duration, now: DateTime<Utc>) -> Vec<Standing> {
    let urgency = |job: &Job| {
        ["given up", "retrying", "paused", "waiting", "running"].iter().position(|state| *state == job.state)
    };
    let mut open: Vec<_> =
        jobs.iter().filter_map(|(job, attempts)| Some((urgency(job)?, job, attempts))).collect();
    open.sort_by_key(|(urgency, ..)| *urgency);
    if open.is_empty() {
        let text = match jobs {
            [] => "Stored. It started no job.",
            jobs if jobs.iter().all(|(job, _)| job.state == "skipped") => "There was nothing to do.",
            _ => "All is done.",
        };
        return vec![Standing { class: "done".to_owned(), text: text.to_owned() }];
    }
    let standing = |(_, job, attempts): (usize, &Job, &Vec<Attempt>)| Standing {
        class: job.class(),
        text: sentence(job, attempts, give_up_after, now),
    };
    open.into_iter().map(standing).collect()
}

fn sentence(job: &Job, attempts: &[Attempt], give_up_after: Duration, now: DateTime<Utc>) -> String {
    let name = &job.name;
    let because = job
        .last_reason
        .as_deref()
        .map_or(String::new(), |reason| format!(": {}", reason.trim_end_matches('.')));
    let next = job.next_try_at.filter(|at| *at > now);
    let wait = next
        .map_or("as soon as possible".to_owned(), |at| format!("in {}", Seconds((at - now).num_seconds())));
    match job.state.as_str() {
        "given up" => {
            let tries = if job.attempts == 1 {
                "one attempt".to_owned()
            } else {
                format!("{} attempts", job.attempts)
            };
            format!(
                "{name} was given up after {tries}{because}. It waits for somebody to mend the cause, and to run it."
            )
        }
        "retrying" => {
            let end = given_up_at(attempts, next.unwrap_or(now), give_up_after);
            let end =
                if end - now < TimeDelta::days(7) { end.format("%A %H:%M") } else { end.format("%F %H:%M") };
            format!(
                "{name} is not done{because}. Attempt {} failed, the next comes {wait}. It is given up on {end}.",
                job.attempts,
            )
        }
        "paused" => {
            format!("{name} waits{because}. It is tried again {wait}, and the pause costs it no attempt.")
        }
        "waiting" if job.attempts == 0 => format!("{name} has not begun. It comes {wait}."),
        "waiting" => format!("{name} is to run again. It comes {wait}."),
        _ => format!("{name} is running."),
    }
}

/// When it will be given up, if every try fails: what counts is the time in which it could have run.
fn given_up_at(attempts: &[Attempt], next: DateTime<Utc>, give_up_after: Duration) -> DateTime<Utc> {
    let since = attempts
        .iter()
        .rposition(|attempt| attempt.result.as_deref() == Some("given_up"))
        .map_or(0, |at| at + 1);
    let failed = attempts[since..].iter().filter(|attempt| attempt.result.as_deref() == Some("retry"));
    let failing_for: TimeDelta =
        failed.filter_map(|attempt| Some(attempt.next_at? - attempt.started_at)).sum();
    let limit = TimeDelta::from_std(give_up_after).unwrap_or(TimeDelta::MAX);
    let left = limit.checked_sub(&failing_for).unwrap_or_default().max(TimeDelta::zero());
    next.checked_add_signed(left).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_hours(72);

    fn at(hour: i64) -> DateTime<Utc> {
        "2026-11-27T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour)
    }

    fn job(state: &str, attempts: i32, reason: Option<&str>, next: Option<i64>) -> Job {
        Job {
            name: "update-crm".to_owned(),
            state: state.to_owned(),
            attempts,
            last_reason: reason.map(str::to_owned),
            next_try_at: next.map(at),
            ..Job::default()
        }
    }

    fn attempt(number: i32, result: &str, started: i64, next: Option<i64>) -> Attempt {
        Attempt {
            job: "update-crm".to_owned(),
            number,
            started_at: at(started),
            ended_at: Some(at(started)),
            result: Some(result.to_owned()),
            reason: None,
            next_at: next.map(at),
        }
    }

    fn told(job: Job, attempts: Vec<Attempt>) -> String {
        of(&[(job, attempts)], LIMIT, at(0)).remove(0).text
    }

    #[test]
    fn a_failing_job_is_told_with_its_cause_its_next_try_and_its_end() {
        let failing = job("retrying", 2, Some("HubSpot answered 500."), Some(1));
        let attempts = vec![attempt(1, "retry", -2, Some(-1)), attempt(2, "retry", -1, Some(1))];
        assert_eq!(
            told(failing, attempts),
            "update-crm is not done: HubSpot answered 500. Attempt 2 failed, the next comes in 1h. It is given up on \
             Monday 06:00."
        );
    }

    #[test]
    fn tries_before_a_person_ran_it_anew_and_pauses_of_its_vendor_do_not_count_against_it() {
        let attempts = vec![
            attempt(1, "retry", -90, Some(-20)),
            attempt(2, "given_up", -20, None),
            attempt(3, "paused", -2, Some(-1)),
        ];
        assert_eq!(given_up_at(&attempts, at(0), LIMIT), at(72));
    }

    #[test]
    fn the_worst_comes_first_and_what_is_done_needs_no_word() {
        let jobs = [
            (job("running", 1, None, None), vec![]),
            (job("done", 1, None, None), vec![]),
            (job("given up", 1, Some("HubSpot answered 422"), None), vec![]),
        ];
        let classes: Vec<_> = of(&jobs, LIMIT, at(0)).into_iter().map(|standing| standing.class).collect();
        assert_eq!(classes, ["given-up", "running"]);
        assert_eq!(of(&jobs[1..2], LIMIT, at(0))[0].text, "All is done.");
        assert_eq!(of(&[], LIMIT, at(0))[0].text, "Stored. It started no job.");
    }
}
