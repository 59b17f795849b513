//! The second listener, for ourselves: the probes, the metrics and the console, on `ADMIN_ADDR`.
//!
//! Receivers and workers both have it. It is the first to start and the last to stop, so that a process can be asked how
//! it is for as long as it lives.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use reqwest::Url;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    config::Config,
    db,
    metrics::Exporter,
    readiness::{PATIENCE, Readiness},
    rotation::Part,
    serve::{FEW_CONNECTIONS, listen, serve},
};

/// The second listener, at work.
pub struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<()>,
    _metrics: AbortOnDropHandle<()>,
}

impl Admin {
    /// Starts it, and returns with it what goes by a secret; the console asks by `reader`, and changes by `writer`.
    ///
    /// # Errors
    ///
    /// The address is taken.
    pub(crate) async fn start(
        config: &Config,
        reader: PgPool,
        writer: PgPool,
        exporter: Exporter,
        readiness: Readiness,
    ) -> anyhow::Result<(Self, Vec<Part>)> {
        let listener = listen(config.admin_addr, "ADMIN_ADDR").await?;
        let address = listener.local_addr()?;
        let metrics = AbortOnDropHandle::new(tokio::spawn(exporter.clone().keep_up()));
        let (console, password) = console(config, reader.clone(), writer);
        let routes = probes(readiness).merge(exporter.routes()).merge(console);
        let parts = password.into_iter().chain([db::part(reader)]).collect();
        let (stop, proxies) = (CancellationToken::new(), config.webhook.trusted_proxies.clone());
        let server = tokio::spawn(serve(listener, routes, FEW_CONNECTIONS, proxies, stop.clone()));
        tracing::info!(%address, "probes, metrics and console are served");
        Ok((Self { address, stop, server, _metrics: metrics }, parts))
    }

    /// Stops it, with the requests in hand answered.
    ///
    /// # Errors
    ///
    /// It had panicked.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.server.await.context("the admin listener")
    }
}

#[cfg(feature = "console")]
use crate::console::routes as console;

#[cfg(not(feature = "console"))]
fn console(config: &Config, _: PgPool, _: PgPool) -> (Router, Option<Part>) {
    if config.console_password.is_some() {
        tracing::warn!(
            "CONSOLE_PASSWORD is set, but this binary is built without the cargo feature `console`"
        );
    }
    let absent = "There is no console in this binary: it is built without the cargo feature `console`.\n";
    (Router::new().fallback(async move || (StatusCode::NOT_FOUND, absent)), None)
}

/// `/health/live` and `/health/ready`, which both listeners have.
pub fn probes<S: Clone + Send + Sync + 'static>(readiness: Readiness) -> Router<S> {
    Router::new()
        .route("/health/live", get(async || Json(json!({ "status": "live" }))))
        .route("/health/ready", get(ready))
        .with_state(readiness)
}

/// 200 while the process can do its work: events are stored and jobs are run over the database.
async fn ready(State(readiness): State<Readiness>) -> (StatusCode, Json<Value>) {
    match readiness.now().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": why }))),
    }
}

/// Asks a probe from outside. The image holds no other program that could.
///
/// # Errors
///
/// It answers something else than 200, or not in time.
pub async fn ask(url: Url) -> anyhow::Result<()> {
    // A proxy for what goes to the vendors has no business on this host.
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE * 3).build()?;
    let answer = client.get(url).send().await.context("it does not answer")?;
    ensure!(answer.status() == StatusCode::OK, "{} answers {}", answer.url(), answer.status());
    Ok(())
}
