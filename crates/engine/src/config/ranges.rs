//! Settings of which not every value of their type is one. A wrong one is refused where it is read, by every command.

use std::time::Duration;

use super::values::ConfigError;

/// A worker counts as dead after a minute without a sign of life (`work/queue/storage.rs`), and that minute must stay over
/// twice a job's time limit, or a slow job would run twice at a time.
const LONGEST_JOB: Duration = Duration::from_secs(30);

/// Paths of the webhook's listener that are taken.
const PROBES: [&str; 2] = ["health/live", "health/ready"];

/// How many jobs run at a time.
pub(super) fn concurrency(text: &str) -> Result<usize, ConfigError> {
    text.parse().ok().filter(|jobs| *jobs > 0).ok_or_else(|| {
        ConfigError::new("set JOB_CONCURRENCY to a number from 1 on (JOBS says which jobs run at all)")
    })
}

/// A job's time limit.
pub(super) fn job_timeout(text: &str) -> Result<Duration, ConfigError> {
    let timeout = humantime::parse_duration(text);
    timeout.ok().filter(|timeout| !timeout.is_zero() && *timeout <= LONGEST_JOB).ok_or_else(|| {
        let longest = LONGEST_JOB.as_secs();
        ConfigError::new(format!(
            "set JOB_TIMEOUT to a time such as 20s, over 0s and no longer than {longest}s"
        ))
    })
}

/// A path that a route can have and a request can name, with a slash at its beginning alone.
pub(super) fn webhook_path(text: &str) -> Result<String, ConfigError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~/".contains(letter);
    if text.is_empty() || !text.chars().all(plain) || text.split('/').any(|part| [".", ".."].contains(&part))
    {
        return Err(ConfigError::new(
            "set WEBHOOK_PATH to a path such as /webhooks/after-call, of letters, digits, and - . _ ~ between the slashes",
        ));
    }
    let path = text.trim_matches('/');
    if PROBES.contains(&path) {
        return Err(ConfigError::new("a probe answers there: set WEBHOOK_PATH to another path"));
    }
    Ok(format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_one_job_runs_at_a_time() {
        for (text, jobs) in
            [("1", Some(1)), ("8", Some(8)), ("0", None), ("-1", None), ("many", None), ("", None)]
        {
            assert_eq!(concurrency(text).ok(), jobs, "{text}");
        }
        assert!(concurrency("0").is_err_and(|error| error.0.contains("JOB_CONCURRENCY")));
    }

    #[test]
    fn a_job_takes_some_time_and_less_than_half_of_what_a_worker_may_be_silent() {
        for (text, millis) in [
            ("1ms", Some(1)),
            ("20s", Some(20_000)),
            ("30s", Some(30_000)),
            ("30s 1ms", None),
            ("1m", None),
            ("0s", None),
            ("20", None),
            ("", None),
        ] {
            assert_eq!(job_timeout(text).ok(), millis.map(Duration::from_millis), "{text}");
        }
        assert!(
            job_timeout("1m").is_err_and(|error| error.0.contains("JOB_TIMEOUT") && error.0.contains("30s"))
        );
    }

    #[test]
    fn a_path_is_one_that_a_route_can_have() {
        for (text, path) in [
            ("/", "/"),
            ("/calls", "/calls"),
            ("/calls/", "/calls"),
            ("calls", "/calls"),
            ("/a/b-c_d.e~f", "/a/b-c_d.e~f"),
            ("/health", "/health"),
            ("/health/live/calls", "/health/live/calls"),
        ] {
            assert_eq!(webhook_path(text).as_deref(), Ok(path));
        }
        for path in [
            "",
            " ",
            "/{id}",
            "/{*rest}",
            "/*",
            "/a b",
            "/a?b=c",
            "/a#b",
            "/:id",
            "/%20",
            "/anruf/ä",
            "/../calls",
            "/health/live",
            "health/ready/",
        ] {
            assert!(webhook_path(path).is_err_and(|error| error.0.contains("WEBHOOK_PATH")), "{path}");
        }
    }
}
