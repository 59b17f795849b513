//! The command line.

use std::process::ExitCode;

use aftercall::{
    admin,
    app::{self, Roles},
    clients::hubspot::HubSpot,
    commands::{self, config::MASK, init::InitArgs, retry::RetryArgs, send::SendArgs},
    config::{
        Config,
        dotenv::{self, FromFile},
    },
    jobs, telemetry,
};
use anyhow::Context;
use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use reqwest::Url;
use tokio::signal::unix::{SignalKind, signal};

/// Receives the after-call webhook of a telephone platform, stores each event once, and logs the call in the CRM.
///
/// Without a command it receives and works in one process. A file `.env` in the working directory sets what the environment
/// doesn't. Secrets have no flags: they come from the environment, or from the file that NAME_FILE names. They are
/// `DATABASE_URL`, `POSTGRES_PASSWORD`, `CONSOLE_PASSWORD`, `WEBHOOK_TOKEN`, `WEBHOOK_BASIC_PASSWORD`,
/// `WEBHOOK_SIGNING_SECRET`, each of these three also with `_PREVIOUS`, `HUBSPOT_TOKEN`, `ZENDESK_CLIENT_SECRET`,
/// `REVIEW_SECRET`, `REPORT_SECRET` and `ALERT_URL`.
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
    /// Write a `.env` with fresh secrets, and say what to paste into the platform's form.
    Init(InitArgs),
    /// Look at everything that a deployment needs, and say what to do where something is wrong.
    ///
    /// Run it where the workers' settings are: it changes nothing, here or at a vendor. A tick is well, a cross is not, a
    /// dash was not looked at; it fails where there is a cross.
    Doctor(Config),
    /// Show the settings in force and where each came from; secrets are masked.
    Config(Config),
    /// Send a call to a receiver, as the platform would, with the configured credential.
    ///
    /// Beside a `cargo run` on the same machine it needs no setting at all.
    Send(Box<SendArgs>),
    /// Run jobs anew that were given up, once their cause is mended.
    Retry(RetryArgs),
    /// Make what a vendor must have once; safe to repeat.
    Setup {
        #[command(subcommand)]
        vendor: Vendor,
    },
    /// Ask a running process whether it is ready, as a container's health check does.
    Health {
        /// The probe.
        #[arg(default_value = "http://127.0.0.1:8081/health/ready")]
        url: Url,
    },
}

#[derive(Subcommand)]
enum Vendor {
    /// The unique property `external_call_id` of calls.
    Hubspot(Config),
}

fn main() -> ExitCode {
    // First of all, since it changes the environment: before there are threads, and before a setting is read.
    let done = dotenv::load().map_err(anyhow::Error::from).and_then(|from_file| command(&from_file));
    done.unwrap_or_else(|error| {
        eprintln!("aftercall: {error:#}");
        ExitCode::FAILURE
    })
}

/// Does what the command line says; `from_file` is what `.env` set.
#[tokio::main]
async fn command(from_file: &FromFile) -> anyhow::Result<ExitCode> {
    let matches = Cli::command().try_get_matches().unwrap_or_else(|error| without_key(error).exit());
    let Cli { command, config } =
        Cli::from_arg_matches(&matches).unwrap_or_else(|error| without_key(error).exit());
    match command {
        None => run_all(config.with_secrets()?).await?,
        Some(Command::Receive(config)) => {
            run(config.with_secrets()?, Roles { receive: true, work: false }).await?;
        }
        Some(Command::Work(config)) => {
            run(config.with_secrets()?, Roles { receive: false, work: true }).await?;
        }
        Some(Command::Init(args)) => commands::init::run(&args)?,
        Some(Command::Doctor(config)) => {
            if !commands::doctor::run(config).await {
                return Ok(ExitCode::FAILURE);
            }
        }
        Some(Command::Config(config)) => {
            let (_, matches) = matches.subcommand().context("it was parsed")?;
            commands::config::print(config, matches, from_file)?;
        }
        Some(Command::Send(args)) => commands::send::run(*args).await?,
        Some(Command::Retry(args)) => commands::retry::run(&args).await?,
        Some(Command::Setup { vendor: Vendor::Hubspot(config) }) => {
            set_up_hubspot(&config.with_secrets()?).await?;
        }
        Some(Command::Health { url }) => admin::ask(url).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A URL may hold a key, and clap quotes a value that it refuses.
fn without_key(mut error: clap::Error) -> clap::Error {
    let of_a_url = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(argument))
        if argument.to_ascii_lowercase().contains("url"));
    if of_a_url && error.get(ContextKind::InvalidValue).is_some() {
        error.insert(ContextKind::InvalidValue, ContextValue::String(MASK.to_owned()));
    }
    error
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

async fn set_up_hubspot(config: &Config) -> anyhow::Result<()> {
    let made = HubSpot::new(config)?.set_up().await.context("HubSpot is not set up")?;
    println!("external_call_id {}", if made { "is made" } else { "was there already" });
    Ok(())
}
