//! The life of a process that receives, works, or both.

use tokio::signal::unix::{SignalKind, signal};

use super::App;
use crate::{app::Roles, config::Source, telemetry};

const ALL_ROLES: Roles = Roles { receive: true, work: true };

/// Receives and works.
#[cfg(not(feature = "dev"))]
pub(super) async fn run_all(app: &App, source: Source) -> anyhow::Result<()> {
    serve(app, &source, ALL_ROLES).await
}

/// Receives and works, with what is not configured brought along.
#[cfg(feature = "dev")]
pub(super) async fn run_all(app: &App, source: Source) -> anyhow::Result<()> {
    let _logs = telemetry::init(source.config()?.log_format, (app.layer)());
    let stop = stop_signal()?;
    let (source, dev) = crate::dev::complete(source, app.vendors).await?;
    let running = app.start(&source, ALL_ROLES).await?;
    if let Some(address) = running.address {
        dev.greet(&source.config()?, &app.parts, address, running.admin.address)?;
    }
    stop.await;
    running.stop().await?;
    dev.stop().await
}

/// Does what these roles say until it is told to stop.
pub(super) async fn serve(app: &App, source: &Source, roles: Roles) -> anyhow::Result<()> {
    let _logs = telemetry::init(source.config()?.log_format, (app.layer)());
    let stop = stop_signal()?;
    let running = app.start(source, roles).await?;
    stop.await;
    running.stop().await
}

/// Ends at the first SIGTERM or Ctrl-C; a second one kills at once, as people expect who press it twice.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            std::process::exit(130);
        });
    })
}
