//! The second listener, for ourselves: the probes and the console, on `ADMIN_ADDR`.
//!
//! Receivers and workers both have it. It is the first to start and the last to stop, so that a process can be asked how
//! it is for as long as it lives.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
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
}

impl Admin {
    /// Starts it, and returns with it what goes by a secret.
    ///
    /// # Errors
    ///
    /// The address is taken.
    pub async fn start(
        config: &Config,
        url: &SecretString,
        readiness: Readiness,
    ) -> anyhow::Result<(Self, Vec<Part>)> {
        let listener = listen(config.admin_addr, "ADMIN_ADDR").await?;
        let address = listener.local_addr()?;
        let (console, parts) = console(config, url)?;
        let routes = probes(readiness).merge(console);
        let (stop, proxies) = (CancellationToken::new(), config.webhook.trusted_proxies.clone());
        let server = tokio::spawn(serve(listener, routes, FEW_CONNECTIONS, proxies, stop.clone()));
        tracing::info!(%address, "probes and console are served");
        Ok((Self { address, stop, server }, parts))
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
fn console(config: &Config, url: &SecretString) -> anyhow::Result<(Router, Vec<Part>)> {
    let pool = crate::db::reader_pool(url)?;
    let (pages, password) = crate::console::routes(config, pool.clone());
    Ok((pages, password.into_iter().chain([crate::db::part(pool)]).collect()))
}

#[cfg(not(feature = "console"))]
#[expect(clippy::unnecessary_wraps, reason = "with a console there is something that can fail")]
fn console(config: &Config, _: &SecretString) -> anyhow::Result<(Router, Vec<Part>)> {
    if config.console_password.is_some() {
        tracing::warn!(
            "CONSOLE_PASSWORD is set, but this binary is built without the cargo feature `console`"
        );
    }
    let absent = "There is no console in this binary: it is built without the cargo feature `console`.\n";
    Ok((Router::new().fallback(async move || (StatusCode::NOT_FOUND, absent)), Vec::new()))
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
