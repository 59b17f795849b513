//! What a Prometheus sees at `/metrics`: counts and times, under labels of few values, and nothing of any call.
//!
//! Names and units are those of Prometheus' and OpenTelemetry's conventions; what is ours begins with the program's name.
//! Counts are this process's own. What stands in the queues is every process's, asked of the database at each scrape: take
//! the largest, not the sum.

mod exporter;

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use metrics::{Unit, counter, gauge, histogram};

use crate::{answer::Rejection, package::Package};
pub(crate) use exporter::Exporter;

/// What a metric is called, but for the program's name before it, and what it says.
struct Named {
    name: &'static str,
    unit: Unit,
    meaning: &'static str,
}

const REQUESTS: Named = Named {
    name: "http_server_request_duration_seconds",
    unit: Unit::Seconds,
    meaning: "Deliveries, and how long their answers took.",
};
const DELIVERIES: Named = Named {
    name: "deliveries_total",
    unit: Unit::Count,
    meaning: "Deliveries by what became of them: stored, duplicate, or why they were refused.",
};
const DELIVERY_LAG: Named = Named {
    name: "delivery_lag_seconds",
    unit: Unit::Seconds,
    meaning: "From the end of a call to its event's commit here.",
};
const PREVIOUS_SECRET: Named = Named {
    name: "previous_secret_used_total",
    unit: Unit::Count,
    meaning: "Deliveries under a secret from before the last rotation.",
};
const ATTEMPTS: Named =
    Named { name: "job_attempts_total", unit: Unit::Count, meaning: "Runs of jobs by how they ended." };
const CALL_TO_DONE: Named = Named {
    name: "call_to_done_seconds",
    unit: Unit::Seconds,
    meaning: "From the end of a call to the end of its job.",
};
const VENDOR_REQUESTS: Named = Named {
    name: "vendor_request_duration_seconds",
    unit: Unit::Seconds,
    meaning: "Requests to vendors, by the status of the answer, and how long they took.",
};
const VENDOR_PAUSED: Named = Named {
    name: "vendor_paused",
    unit: Unit::Count,
    meaning: "1 while this process leaves a vendor in peace, else 0.",
};
const JOBS: Named =
    Named { name: "jobs", unit: Unit::Count, meaning: "Jobs that are not done, by state, in the database." };
const JOB_OLDEST: Named = Named {
    name: "job_oldest_seconds",
    unit: Unit::Seconds,
    meaning: "For how long the oldest job that is due has not begun.",
};

impl Named {
    /// Under this program's name, but for what has a name everywhere.
    fn full(&self) -> String {
        match self.name {
            everywhere if everywhere.starts_with("http_") => everywhere.to_owned(),
            ours => format!("{}_{ours}", Package::of_this_process().name.replace('-', "_")),
        }
    }
}

/// A platform delivers here. What was not counted yet is 0 from the start: of a count that begins with its first value,
/// Prometheus sees no increase, and no alert would tell of the first refusals. (Prometheus' documentation, "Instrumentation:
/// Avoid missing metrics".)
pub(crate) fn platform(platform: &'static str) {
    for result in ["stored", "duplicate"].into_iter().chain(Rejection::REASONS) {
        counter!(DELIVERIES.full(), "platform" => platform, "result" => result).increment(0);
    }
}

/// A delivery was answered; `result` is a word of the table of answers.
pub(crate) fn delivery(
    platform: &'static str,
    path: &str,
    begun: Instant,
    status: StatusCode,
    result: &'static str,
) {
    counter!(DELIVERIES.full(), "platform" => platform, "result" => result).increment(1);
    let labels = [
        ("http_request_method", "POST".to_owned()),
        ("http_route", path.to_owned()),
        ("http_response_status_code", status.as_str().to_owned()),
    ];
    histogram!(REQUESTS.full(), &labels).record(begun.elapsed());
}

/// An event of a call that ended then is stored.
pub(crate) fn stored(ended_at: Option<DateTime<Utc>>) {
    if let Some(since) = since(ended_at) {
        histogram!(DELIVERY_LAG.full()).record(since);
    }
}

/// A delivery came under a secret from before the last rotation.
pub(crate) fn previous_secret_used() {
    counter!(PREVIOUS_SECRET.full()).increment(1);
}

/// A run of a job ended so.
pub(crate) fn attempt(job: &'static str, result: &'static str) {
    counter!(ATTEMPTS.full(), "job" => job, "result" => result).increment(1);
}

/// A job of a call that ended then is done.
pub(crate) fn done(job: &'static str, ended_at: Option<DateTime<Utc>>) {
    if let Some(since) = since(ended_at) {
        histogram!(CALL_TO_DONE.full(), "job" => job).record(since);
    }
}

/// A vendor answered with this status, or, without one, not at all.
pub(crate) fn vendor_answered(vendor: &'static str, status: Option<StatusCode>, took: Duration) {
    let status = status.map_or_else(|| "none".to_owned(), |status| status.as_str().to_owned());
    histogram!(VENDOR_REQUESTS.full(), "vendor" => vendor, "status" => status).record(took);
}

/// The jobs of the vendor at this origin wait, or go on.
pub(crate) fn vendor_paused(vendor: &str, paused: bool) {
    gauge!(VENDOR_PAUSED.full(), "vendor" => vendor.to_owned()).set(if paused { 1.0 } else { 0.0 });
}

/// How long ago that was; the platform's clock may be ahead of ours.
fn since(then: Option<DateTime<Utc>>) -> Option<Duration> {
    Some((Utc::now() - then?).to_std().unwrap_or_default())
}
