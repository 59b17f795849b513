//! Each job of `JOBS`: whether a worker would start with it, and what its vendor says to a request that changes nothing.

use super::report::Report;
use crate::{config::Config, job::Jobs, vendor::ClientError};

pub(super) async fn check(config: &Config, jobs: &Jobs, report: &mut Report) {
    let names = &config.jobs.enabled.0;
    if names.is_empty() {
        return report.dash("jobs", "JOBS is empty: calls are stored, and nothing is done about them");
    }
    for name in names {
        match jobs.named(name).and_then(|job| job.make(config)) {
            Err(error) => report.cross(name, &error.to_string(), "workers don't start without it"),
            Ok(job) => match job.check().await {
                Ok(Some(found)) => report.tick(name, &found),
                Ok(None) => report.tick(name, "it has all settings that it needs"),
                Err(error) => report.cross(name, &error.to_string(), to_do(&error)),
            },
        }
    }
}

fn to_do(error: &ClientError) -> &'static str {
    match error {
        ClientError::Unauthorized(_) => "set a credential that is in force",
        ClientError::Down(_) => "is its address right, and does this machine reach it?",
        ClientError::Busy { .. } | ClientError::Limited { .. } | ClientError::Retry { .. } => {
            "ask again in a minute"
        }
        ClientError::Stop(_) => {
            "do what it says, or give the credential the scopes that its client's README names"
        }
    }
}
