//! The process: what it is made of, how it starts and how it stops.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Router, middleware::from_fn_with_state, routing::any};
use sqlx::PgPool;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use crate::{
    admin::{self, Admin},
    alerts::Alerts,
    answer::Rejection,
    config::{Config, Secret, Source},
    db,
    guard::Guard,
    inbox::{Condition, Inbox},
    job::{Enabled, Jobs},
    metrics::Exporter,
    platform::Platform,
    presence::Presence,
    readiness::Readiness,
    receiver::{self, Receiver, outcomes::Outcomes},
    rotation::Follower,
    serve::{listen, most_connections, serve},
    tally::Tally,
    work::{
        breaker::Breakers,
        queue::{Workers, prepare},
        retention, unserved,
        wake_up::WakeUp,
    },
};

/// What a fork is made of.
#[derive(Clone)]
pub struct Parts {
    /// Its platform.
    pub platform: &'static Platform,
    /// Its routes on the webhook's listener.
    pub routes: fn(Receiver) -> Router,
    /// Its jobs.
    pub jobs: Jobs,
}

/// Everything that the webhook's listener serves: the fork's routes and the probes.
fn routes(parts: &Parts, config: &Config, receiver: Receiver, readiness: Readiness) -> Router {
    let webhook = if config.webhook.gone {
        let gone = |router: Router, path: &String| router.route(path, any(async || Rejection::Gone));
        receiver.paths().iter().fold(Router::new(), gone)
    } else {
        (parts.routes)(receiver.clone()).route_layer(from_fn_with_state(receiver, receiver::log))
    };
    webhook.merge(admin::probes(readiness)).fallback(async || Rejection::NotFound)
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Receives events.
    pub receive: bool,
    /// Runs jobs.
    pub work: bool,
}

/// A process that has started.
pub struct Running {
    /// Where it listens, when it receives.
    pub address: Option<SocketAddr>,
    /// The second listener.
    pub admin: Admin,
    receiving: Option<Receiving>,
    workers: Workers,
    wake_up: Option<AbortOnDropHandle<()>>,
    /// What tells people of trouble.
    telling: JoinSet<()>,
    unserved: AbortOnDropHandle<()>,
    retention: Option<AbortOnDropHandle<()>>,
    rotation: AbortOnDropHandle<()>,
    /// Writes down what was counted, until it is told to stop.
    tally: (CancellationToken, JoinHandle<()>),
    patience: Duration,
}

struct Receiving {
    stop: CancellationToken,
    server: JoinHandle<()>,
    writer: JoinHandle<()>,
    pool: PgPool,
    /// Says that this receiver is there, until it is told to stop.
    presence: (CancellationToken, JoinHandle<()>),
}

/// What the runs of all jobs have in common.
fn workers(config: &Config, url: &Secret, platform: &'static Platform) -> anyhow::Result<Workers> {
    let wake_up = WakeUp::default();
    Ok(Workers {
        pool: db::worker_pool(url, config.jobs.concurrency)?,
        stop: CancellationToken::new(),
        tracker: TaskTracker::new(),
        breakers: Breakers::new(wake_up.clone()),
        wake_up,
        quarantine: Arc::default(),
        platform,
        tally: Tally::default(),
    })
}

/// Starts a process; settings are looked at before anything is touched.
///
/// # Errors
///
/// A setting is missing or wrong, the database can't be reached, or an address is taken.
pub async fn start(source: &Source, roles: Roles, parts: &Parts) -> anyhow::Result<Running> {
    let config = source.config()?;
    config.refuse_short_secrets()?;
    if roles.receive {
        config.refuse_to_hear_nobody()?;
    }
    let (config, open) = (Arc::new(config), Arc::new(source.without_secrets()?));
    let url = &config.database()?;
    let enabled = parts.jobs.enabled(&config)?;
    let receiving = roles.receive.then(|| anyhow::Ok((Guard::new(&config.webhook)?, db::writer_pool(url)?)));
    let receiving = receiving.transpose()?;
    let reader = db::reader_pool(url)?;
    // Before anything is counted. On connections of its own, so that no page keeps a scrape waiting.
    let scraped = db::reader_pool(url)?;
    let exporter = Exporter::new(scraped.clone())?;
    let workers = workers(&config, url, parts.platform)?;
    let jobs = Enabled::new(enabled, open);
    let kinds = jobs.kinds().iter().filter(|_| roles.work);
    let prepared =
        kinds.map(|kind| prepare(*kind, &jobs, &config, &workers)).collect::<Result<Vec<_>, _>>()?;
    let alerts = Alerts::new(&config.alerts)?.map(Arc::new);

    let (probe, writer) = (db::probe_pool(url)?, Condition::default());
    let readiness = Readiness::new(probe.clone(), writer.clone());
    let (admin, mut live) =
        Admin::start(&config, reader, workers.pool.clone(), exporter, readiness.clone()).await?;
    live.extend([workers.pool.clone(), probe.clone(), scraped].map(db::part));
    live.extend(alerts.as_ref().map(|alerts| alerts.part()));
    db::migrate(url).await?;
    let outcomes = Arc::<Outcomes>::default();
    let (starts, of_jobs): (Vec<_>, Vec<_>) = prepared.into_iter().map(|of| (of.start, of.job)).unzip();
    live.extend(of_jobs);
    let receiving = receiving.map(|(guard, pool)| {
        let guard = Arc::new(guard);
        let presence = Presence::new(Arc::clone(&guard), workers.pool.clone());
        live.extend([db::part(pool.clone()), guard.part(), presence.part()]);
        (guard, pool, presence)
    });
    let mut follower = Follower::new(source.clone(), live);
    let receiving = match receiving {
        Some((guard, pool, presence)) => {
            // A rotation waits for it from now on. What one has changed since this process read its secrets is taken up before
            // the first delivery is.
            presence.say().await;
            follower.look();
            let (inbox, writer) = Inbox::start(pool.clone(), probe, jobs, writer);
            let receiver = Receiver::new(
                &config.webhook,
                parts.platform.name,
                guard,
                inbox,
                Arc::clone(&outcomes),
                workers.tally.clone(),
            );
            let refusals = receiver.refusals();
            let routes = routes(parts, &config, receiver, readiness.clone());
            let (address, stop, server) = listen_to(&config, routes).await?;
            tokio::spawn(refusals.sum_up(stop.clone()));
            let gone = CancellationToken::new();
            let presence = (gone.clone(), tokio::spawn(presence.keep_up(gone)));
            Some((address, Receiving { stop, server, writer, pool, presence }))
        }
        None => None,
    };
    let wake_up = roles.work.then(|| {
        let Workers { pool, wake_up, .. } = workers.clone();
        AbortOnDropHandle::new(tokio::spawn(wake_up.run(pool)))
    });
    // Receivers tell, too: of the workers, none may be left.
    let mut telling = JoinSet::new();
    if let Some(alerts) = alerts {
        telling.spawn(Arc::clone(&alerts).watch(workers.pool.clone()));
        if roles.receive {
            telling.spawn(alerts.watch_receiver(readiness.clone(), outcomes));
        }
    }
    let unserved = AbortOnDropHandle::new(tokio::spawn(unserved::watch(workers.pool.clone())));
    let retention = roles.work.then(|| retention::watch(workers.pool.clone(), config.retention_days));
    let retention = retention.map(|watch| AbortOnDropHandle::new(tokio::spawn(watch)));
    for start in starts {
        start();
    }
    let counted = CancellationToken::new();
    let writing = tokio::spawn(workers.tally.clone().write_down(workers.pool.clone(), counted.clone()));
    let rotation = AbortOnDropHandle::new(tokio::spawn(follower.run()));
    readiness.has_started();
    if roles.work {
        tracing::info!("working");
    }
    let (address, receiving) = receiving.unzip();
    // A job ends within its own time limit; the rest is for writing down how.
    let patience = config.jobs.timeout + Duration::from_secs(5);
    Ok(Running {
        address,
        admin,
        receiving,
        workers,
        wake_up,
        telling,
        unserved,
        retention,
        rotation,
        tally: (counted, writing),
        patience,
    })
}

async fn listen_to(
    config: &Config,
    routes: Router,
) -> anyhow::Result<(SocketAddr, CancellationToken, JoinHandle<()>)> {
    let listener = listen(config.listen_addr, "LISTEN_ADDR").await?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let stop = CancellationToken::new();
    let proxies = config.webhook.trusted_proxies.clone();
    let server = tokio::spawn(serve(listener, routes, most_connections(), proxies, stop.clone()));
    Ok((address, stop, server))
}

impl Running {
    /// Stops it in the order in which a call passes: no new requests, those in hand answered, all events written, the
    /// jobs in hand ended; what has not begun stays in the queue. Probes are answered until the end.
    ///
    /// # Errors
    ///
    /// A part of it had panicked.
    pub async fn stop(self) -> anyhow::Result<()> {
        tracing::info!("stopping: requests and jobs in hand are ended first");
        if let Some(receiving) = self.receiving {
            receiving.stop.cancel();
            receiving.server.await.context("the server")?;
            receiving.writer.await.context("the writer")?;
            close(&receiving.pool).await;
            let (gone, presence) = receiving.presence;
            gone.cancel();
            presence.await.context("what says that this receiver is there")?;
        }
        self.workers.stop.cancel();
        self.workers.tracker.close();
        if timeout(self.patience, self.workers.tracker.wait()).await.is_err() {
            tracing::warn!("some jobs did not end in time: another worker runs them again");
        }
        let (counted, writing) = self.tally;
        counted.cancel();
        writing.await.context("the tally")?;
        drop((self.wake_up, self.telling, self.unserved, self.retention, self.rotation));
        close(&self.workers.pool).await;
        self.admin.stop().await
    }
}

/// A job that did not end, or a commit, holds its connection; it is cut with the process.
async fn close(pool: &PgPool) {
    if timeout(Duration::from_secs(1), pool.close()).await.is_err() {
        tracing::warn!("some connections to the database were still in use");
    }
}
