//! The command line.

use std::process::ExitCode;

use aftercall::{
    app::{self, Roles},
    clients::hubspot::HubSpot,
    config::Config,
    db,
    jobs::{self, queue},
    telemetry,
};
use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Receives the after-call webhook of a telephone platform, stores each event once, and logs the call in the CRM.
///
/// Without a command it receives and works in one process. Secrets have no flags: they come from the environment, or
/// from the file that NAME_FILE names. They are `DATABASE_URL`, `CONSOLE_PASSWORD`, `WEBHOOK_TOKEN`,
/// `WEBHOOK_BASIC_PASSWORD`, `WEBHOOK_SIGNING_SECRET`, each of these three also with `_PREVIOUS`, `HUBSPOT_TOKEN`,
/// `ZENDESK_CLIENT_SECRET`, `REVIEW_SECRET`, `REPORT_SECRET` and `ALERT_URL`.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Receive events only.
    Receive(Config),
    /// Run jobs only.
    Work(Config),
    /// Run jobs anew that were given up, once their cause is mended.
    Retry {
        /// The job's name: update-crm.
        job: String,
        /// The job of this event alone.
        #[arg(long = "event")]
        event_id: Option<String>,
    },
    /// Make what a vendor must have once; safe to repeat.
    Setup {
        #[command(subcommand)]
        vendor: Vendor,
    },
}

#[derive(Subcommand)]
enum Vendor {
    /// The unique property `external_call_id` of calls.
    Hubspot(Config),
}

#[tokio::main]
async fn main() -> ExitCode {
    match command(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("aftercall: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn command(Cli { command, config }: Cli) -> anyhow::Result<()> {
    match command {
        None => run_all(config.with_secrets()?).await,
        Some(Command::Receive(config)) => {
            run(config.with_secrets()?, Roles { receive: true, work: false }).await
        }
        Some(Command::Work(config)) => {
            run(config.with_secrets()?, Roles { receive: false, work: true }).await
        }
        Some(Command::Retry { job, event_id }) => {
            retry(&config.with_secrets()?, &job, event_id.as_deref()).await
        }
        Some(Command::Setup { vendor: Vendor::Hubspot(config) }) => {
            set_up_hubspot(&config.with_secrets()?).await
        }
    }
}

const ALL_ROLES: Roles = Roles { receive: true, work: true };

/// Receives and works.
#[cfg(not(feature = "dev"))]
async fn run_all(config: Config) -> anyhow::Result<()> {
    run(config, ALL_ROLES).await
}

/// Receives and works, with what is not configured brought along.
#[cfg(feature = "dev")]
async fn run_all(config: Config) -> anyhow::Result<()> {
    let _logs = telemetry::init(config.log_format);
    let stop = stop_signal()?;
    let (config, dev) = aftercall::dev::complete(config).await?;
    let running = app::start(config.clone(), ALL_ROLES, jobs::ALL).await?;
    if let Some(address) = running.address {
        dev.greet(&config, address, running.admin.address)?;
    }
    stop.await;
    running.stop().await?;
    dev.stop().await
}

async fn run(config: Config, roles: Roles) -> anyhow::Result<()> {
    let _logs = telemetry::init(config.log_format);
    let stop = stop_signal()?;
    let running = app::start(config, roles, jobs::ALL).await?;
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

async fn retry(config: &Config, job: &str, event_id: Option<&str>) -> anyhow::Result<()> {
    jobs::named(jobs::ALL, job)?;
    let url = config.database_url.as_ref().context("DATABASE_URL is not set")?;
    let again = queue::run_anew(&db::worker_pool(url, 0)?, job, event_id).await;
    let again = again.context("the database of DATABASE_URL can't be asked")?;
    println!("{again} of {job} run anew");
    Ok(())
}

async fn set_up_hubspot(config: &Config) -> anyhow::Result<()> {
    let made = HubSpot::new(config)?.set_up().await.context("HubSpot is not set up")?;
    println!("external_call_id {}", if made { "is made" } else { "was there already" });
    Ok(())
}
