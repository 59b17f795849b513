//! The process: what it is made of, every route on one screen, how it starts and how it stops.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    routing::{any, post},
};
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
    config::Config,
    db,
    error::Rejection,
    job::{Enabled, JobKind},
    readiness::Readiness,
    receive::{
        self, AppState,
        guard::Guard,
        outcomes::Outcomes,
        store::{Condition, Writer},
    },
    rotation,
    serve::{listen, most_connections, serve},
    work::{
        breaker::Breakers,
        queue::{Prepared, Workers, prepare},
        unserved,
        wake_up::WakeUp,
    },
};

/// Every route of the webhook's listener; those of the other are in [`admin`] and the console.
fn routes(config: &Config, state: AppState, readiness: Readiness) -> Router {
    let path = &config.webhook.path;
    let webhook = if config.webhook.gone {
        any(async || Rejection::Gone)
    } else {
        post(receive::receive).fallback(async || Rejection::NotPost)
    };
    let router = admin::probes(readiness).route(path, webhook.clone());
    let router = if path == "/" { router } else { router.route(&format!("{path}/"), webhook) };
    router.fallback(async || Rejection::NotFound).with_state(state)
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
    receiver: Option<Receiver>,
    workers: Workers,
    wake_up: Option<AbortOnDropHandle<()>>,
    /// What tells people of trouble.
    telling: JoinSet<()>,
    unserved: AbortOnDropHandle<()>,
    rotation: AbortOnDropHandle<()>,
    patience: Duration,
}

struct Receiver {
    stop: CancellationToken,
    server: JoinHandle<()>,
    writer: JoinHandle<()>,
    pool: PgPool,
}

/// Starts a process; settings are looked at before anything is touched.
///
/// # Errors
///
/// A setting is missing or wrong, the database can't be reached, or an address is taken.
pub async fn start(config: Config, roles: Roles, jobs: &[JobKind]) -> anyhow::Result<Running> {
    config.refuse_short_secrets()?;
    if roles.receive {
        config.refuse_to_hear_nobody()?;
    }
    let config = Arc::new(config);
    let url = &config.database()?;
    let jobs = Enabled::new(jobs, Arc::clone(&config))?;
    let receiving = roles.receive.then(|| anyhow::Ok((Guard::new(&config.webhook)?, db::writer_pool(url)?)));
    let receiving = receiving.transpose()?;
    let wake_up = WakeUp::default();
    let workers = Workers {
        pool: db::worker_pool(url, config.jobs.concurrency)?,
        stop: CancellationToken::new(),
        tracker: TaskTracker::new(),
        breakers: Breakers::new(wake_up.clone()),
        wake_up,
        quarantine: Arc::default(),
    };
    let kinds = jobs.kinds().iter().filter(|_| roles.work);
    let prepared = kinds.map(|kind| prepare(*kind, &config, &workers)).collect::<Result<Vec<_>, _>>()?;
    let alerts = Alerts::new(&config.alerts)?.map(Arc::new);

    let (probe, writer) = (db::probe_pool(url)?, Condition::default());
    let readiness = Readiness::new(probe.clone(), writer.clone());
    let (admin, mut parts) = Admin::start(&config, url, readiness.clone()).await?;
    parts.extend([workers.pool.clone(), probe.clone()].map(db::part));
    parts.extend(alerts.as_ref().map(|alerts| alerts.part()));
    db::migrate(url).await?;
    let outcomes = Arc::<Outcomes>::default();
    let receiver = match receiving {
        Some((guard, pool)) => {
            parts.extend([db::part(pool.clone()), guard.part()]);
            let (queue, writer) = Writer::start(pool.clone(), probe, jobs, writer);
            let state = AppState {
                guard: Arc::new(guard),
                writer: queue,
                refusals: Arc::default(),
                outcomes: Arc::clone(&outcomes),
            };
            let (address, stop, server) = receive(&config, state, readiness.clone()).await?;
            Some((address, Receiver { stop, server, writer, pool }))
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
    for Prepared { start, job } in prepared {
        start();
        parts.push(job);
    }
    let rotation = AbortOnDropHandle::new(tokio::spawn(rotation::follow(Config::clone(&config), parts)));
    readiness.has_started();
    if roles.work {
        tracing::info!("working");
    }
    let (address, receiver) = receiver.unzip();
    // A job ends within its own time limit; the rest is for writing down how.
    let patience = config.jobs.timeout + Duration::from_secs(5);
    Ok(Running { address, admin, receiver, workers, wake_up, telling, unserved, rotation, patience })
}

async fn receive(
    config: &Config,
    state: AppState,
    readiness: Readiness,
) -> anyhow::Result<(SocketAddr, CancellationToken, JoinHandle<()>)> {
    let listener = listen(config.listen_addr, "LISTEN_ADDR").await?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(&state.refusals).sum_up(stop.clone()));
    let routes = routes(config, state, readiness);
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
        if let Some(receiver) = self.receiver {
            receiver.stop.cancel();
            receiver.server.await.context("the server")?;
            receiver.writer.await.context("the writer")?;
            close(&receiver.pool).await;
        }
        self.workers.stop.cancel();
        self.workers.tracker.close();
        if timeout(self.patience, self.workers.tracker.wait()).await.is_err() {
            tracing::warn!("some jobs did not end in time: another worker runs them again");
        }
        drop((self.wake_up, self.telling, self.unserved, self.rotation));
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
