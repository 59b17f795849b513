//! `/metrics`, in Prometheus' text format.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use axum::{Router, extract::State, http::header, routing::get};
use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sqlx::PgPool;
use tokio::time::{interval, timeout};

use super::{
    ATTEMPTS, CALL_TO_DONE, DELIVERIES, DELIVERY_LAG, JOB_OLDEST, JOBS, PREVIOUS_SECRET, REQUESTS,
    VENDOR_PAUSED, VENDOR_REQUESTS,
};
use crate::work::tasks::open::{self, Depth};

/// The bounds of the times of requests, in seconds.
const OF_REQUESTS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The bounds of what begins with the end of a call: from a second to a day.
const OF_CALLS: [f64; 10] = [1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0];

/// How often what was recorded is added up. Nobody may ever ask.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long the database may take to say what stands in the queues.
const PATIENCE: Duration = Duration::from_secs(1);

/// What all of a process is counted by, and what stands in the queues.
#[derive(Clone)]
pub(crate) struct Exporter {
    recorder: PrometheusHandle,
    pool: PgPool,
    /// The jobs that were told of: one of which nothing is left is told, too.
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl Exporter {
    /// Counts from now on, where the process doesn't yet; `pool` is asked what stands in the queues.
    ///
    /// # Errors
    ///
    /// The process has another recorder.
    pub(crate) fn new(pool: PgPool) -> anyhow::Result<Self> {
        let recorder = shared_recorder()?;
        Ok(Self { recorder, pool, told: Arc::default() })
    }

    /// `/metrics`.
    pub(crate) fn routes(self) -> Router {
        let page = async |State(exporter): State<Self>| {
            exporter.look_into_the_queues().await;
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], exporter.recorder.render())
        };
        Router::new().route("/metrics", get(page)).with_state(self)
    }

    /// Adds up what was recorded, for ever.
    pub(crate) async fn keep_up(self) {
        let mut tick = interval(UPKEEP);
        loop {
            tick.tick().await;
            self.recorder.run_upkeep();
        }
    }

    /// Brings the gauges of the queues up to date; where the database doesn't say, they are no numbers.
    async fn look_into_the_queues(&self) {
        let depths = match timeout(PATIENCE, open::depths(&self.pool)).await {
            Ok(Ok(depths)) => Some(depths),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the database can't be asked what stands in the queues");
                None
            }
            Err(_) => None,
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for job in &*told {
            show(job, depths.is_some().then(Depth::default).as_ref());
        }
        for (job, depth) in depths.into_iter().flatten() {
            show(&job, Some(&depth));
            told.insert(job);
        }
    }
}

fn show(job: &str, depth: Option<&Depth>) {
    let states = [
        ("waiting", depth.map(|depth| depth.waiting)),
        ("retrying", depth.map(|depth| depth.retrying)),
        ("running", depth.map(|depth| depth.running)),
        ("given_up", depth.map(|depth| depth.given_up)),
    ];
    for (state, jobs) in states {
        gauge!(JOBS.full(), "job" => job.to_owned(), "state" => state).set(jobs.map_or(f64::NAN, f64::from));
    }
    let oldest = depth.map_or(f64::NAN, |depth| depth.oldest_seconds);
    gauge!(JOB_OLDEST.full(), "job" => job.to_owned()).set(oldest);
}

/// The process's one recorder. The lock is held while it is installed, so that two which start at once share it.
fn shared_recorder() -> anyhow::Result<PrometheusHandle> {
    static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut installed = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
    match &*installed {
        Some(recorder) => Ok(recorder.clone()),
        None => Ok(installed.insert(recorder()?).clone()),
    }
}

fn recorder() -> anyhow::Result<PrometheusHandle> {
    let mut builder = PrometheusBuilder::new();
    for (metrics, bounds) in
        [([REQUESTS, VENDOR_REQUESTS], &OF_REQUESTS[..]), ([DELIVERY_LAG, CALL_TO_DONE], &OF_CALLS)]
    {
        for metric in metrics {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.full()), bounds)?;
        }
    }
    let recorder = builder.install_recorder().context("the recorder of metrics")?;
    for metric in [DELIVERIES, PREVIOUS_SECRET, ATTEMPTS] {
        describe_counter!(metric.full(), metric.unit, metric.meaning);
    }
    for metric in [VENDOR_PAUSED, JOBS, JOB_OLDEST] {
        describe_gauge!(metric.full(), metric.unit, metric.meaning);
    }
    for metric in [REQUESTS, VENDOR_REQUESTS, DELIVERY_LAG, CALL_TO_DONE] {
        describe_histogram!(metric.full(), metric.unit, metric.meaning);
    }
    Ok(recorder)
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::shared_recorder;

    #[test]
    fn programs_that_start_at_once_in_one_process_share_a_recorder() {
        let start = Barrier::new(8);
        thread::scope(|scope| {
            let started: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        shared_recorder().map(|_| ())
                    })
                })
                .collect();
            for recorder in started {
                recorder.join().unwrap().unwrap();
            }
        });
    }
}
