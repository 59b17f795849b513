//! The command line, and what `main` calls.

mod serving;

use std::{env, ffi::OsString, process::ExitCode};

use anyhow::Context;
use axum::Router;
use clap::{
    Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use reqwest::Url;

use serving::{run_all, serve};

use crate::{
    admin,
    app::{self, Parts, Roles},
    commands::{
        self, calls::CallsCommand, config::MASK, doctor::DoctorArgs, erase::EraseArgs, init::InitArgs,
        jobs::JobsCommand, platform::PlatformCommand, retry::RetryArgs, send::SendArgs,
    },
    config::{
        Declared, Source, Values,
        declared::{is_secret, variable},
        dotenv::{self, FromFile},
        read::{refuse_secrets_as_flags, settings_in},
    },
    job::{Jobs, Listed},
    package::Package,
    platform::{Api, Platform},
    receiver::Receiver,
    telemetry::BoxedLayer,
};

/// A program: a platform, the routes that it delivers to, and jobs, over settings of its own.
pub struct App {
    pub(crate) package: Package,
    pub(crate) declared: Declared,
    pub(crate) parts: Parts,
    /// Every setting with its default, and those without which nothing starts left empty.
    pub(crate) example: &'static str,
    layer: fn() -> Option<BoxedLayer>,
    api: Option<&'static Api>,
    #[cfg(feature = "dev")]
    pub(crate) vendors: Option<&'static crate::dev::Vendors>,
}

impl App {
    /// A program over settings `S` ([`package!`](macro@crate::package)); `routes` are those of the webhook's listener, and
    /// `example` is the text of `.env.example`.
    #[must_use]
    pub fn new<S: Args + Send + Sync + 'static>(
        package: Package,
        platform: &'static Platform,
        routes: fn(Receiver) -> Router,
        jobs: &[Listed<S>],
        example: &'static str,
    ) -> Self {
        package.set();
        Self {
            package,
            declared: Declared::with::<S>(),
            parts: Parts { platform, routes, jobs: Jobs::of(jobs) },
            example,
            layer: || None,
            api: None,
            #[cfg(feature = "dev")]
            vendors: None,
        }
    }

    /// Vendors that a stand-in plays in development, where they are not configured.
    ///
    /// # Panics
    ///
    /// One of them is for a job that the program doesn't have.
    #[cfg(feature = "dev")]
    #[must_use]
    pub fn played_by(self, vendors: &'static crate::dev::Vendors) -> Self {
        for played in vendors.played {
            let known = self.parts.jobs.named(played.job);
            known.unwrap_or_else(|error| panic!("{} is played for a job: {error}", played.name));
        }
        Self { vendors: Some(vendors), ..self }
    }

    /// The API of the platform's webhooks, which makes the command `platform`.
    #[must_use]
    pub fn with_api(self, api: &'static Api) -> Self {
        Self { api: Some(api), ..self }
    }

    /// A layer beside the log, such as one that sends spans; it is made when a receiver or a worker starts.
    #[must_use]
    pub fn with_layer(self, layer: fn() -> Option<BoxedLayer>) -> Self {
        Self { layer, ..self }
    }

    /// Does what the command line says.
    #[must_use]
    pub fn run(self) -> ExitCode {
        // First of all, since it changes the environment: before there are threads, and before a setting is read.
        let done = dotenv::load().map_err(anyhow::Error::from).and_then(|from_file| run(&self, &from_file));
        done.unwrap_or_else(|error| {
            eprintln!("{}: {error:#}", self.package.name);
            ExitCode::FAILURE
        })
    }

    /// The settings of a process with this command line.
    ///
    /// # Errors
    ///
    /// A secret is set but empty, set twice, or in a file that can't be read.
    pub fn source(&self, arguments: Vec<OsString>) -> anyhow::Result<Source> {
        Ok(self.bare(arguments).with_secrets()?)
    }

    /// The same without any secret.
    fn bare(&self, arguments: Vec<OsString>) -> Source {
        let platform = self.parts.platform.defaults.iter();
        let mut defaults: Values = platform.map(|(name, value)| ((*name).into(), (*value).into())).collect();
        defaults.insert("JOBS".to_owned(), self.parts.jobs.by_default());
        Source::new(self.declared, self.command(), self.with_settings(), arguments, defaults)
    }

    /// Starts a process over these settings.
    ///
    /// # Errors
    ///
    /// Those of [`app::start`].
    pub async fn start(&self, source: &Source, roles: Roles) -> anyhow::Result<app::Running> {
        app::start(source, roles, &self.parts).await
    }

    /// The command line without its settings.
    fn command(&self) -> Command {
        let line = |(argument, _): &(Arg, bool)| {
            let meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
            format!("\n  {:32} {meaning}", variable(argument).unwrap_or_default())
        };
        let arguments = self.declared.arguments();
        let secrets: String =
            arguments.iter().filter(|(argument, _)| is_secret(argument)).map(line).collect();
        let secrets = format!(
            "Secrets come from the variable, or from the file that NAME_FILE names, never from a flag:{secrets}"
        );
        let command =
            Cli::command().name(self.package.name).version(self.package.version).after_help(secrets);
        if self.api.is_none() {
            return command;
        }
        let platform = Command::new(PLATFORM)
            .about(
                "Make the webhook at the platform, look at it, or change its secret, by the platform's API",
            )
            .subcommand_required(true)
            .arg_required_else_help(true);
        command.subcommand(PlatformCommand::augment_subcommands(platform))
    }

    /// The commands that read the settings.
    fn with_settings(&self) -> &'static [&'static str] {
        if self.api.is_some() { &WITH_SETTINGS } else { &WITH_SETTINGS[1..] }
    }
}

/// Receives what a telephone platform delivers, stores each event once, and does what is to be done with the call.
///
/// Without a command it receives and works in one process. A file `.env` in the working directory sets what the environment
/// doesn't.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Cmd>,
}

#[derive(Subcommand)]
enum Cmd {
    /// Receive events only.
    Receive,
    /// Run jobs only.
    Work,
    /// Write a `.env` with fresh secrets, and say what to paste into the platform's form.
    Init(InitArgs),
    /// Look at everything that a deployment needs, and say what to do where something is wrong.
    ///
    /// Run it where the workers' settings are: it changes nothing, here or at a vendor. A tick is well, a cross is not, a
    /// dash was not looked at; it fails where there is a cross.
    Doctor(DoctorArgs),
    /// Show the settings in force and where each came from; secrets are masked.
    Config,
    /// Send a call to a receiver, as the platform would, with the configured credential.
    ///
    /// Beside a `cargo run` on the same machine it needs no setting at all.
    Send(Box<SendArgs>),
    /// Look for calls, and at what became of each.
    #[command(subcommand)]
    Calls(CallsCommand),
    /// Look at jobs that are not done; run those anew that were given up, or discard them.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Run jobs of one name anew that were given up: `jobs retry` in short.
    Retry(RetryArgs),
    /// Delete the data of every call with this number, wherever in a call it stands; without --yes, only say how much there
    /// is.
    ///
    /// Jobs of such a call that are not done are discarded. What the vendors have is listed: they delete it themselves.
    Erase(EraseArgs),
    /// Make what the vendors of the jobs must have once; safe to repeat.
    Setup {
        /// The one job to do it for [default: those in JOBS].
        job: Option<String>,
    },
    /// Write what the files of this folder say of each setting, from what the program says of it.
    #[cfg(feature = "dev")]
    #[command(hide = true)]
    Settings {
        /// The folder.
        #[arg(default_value = ".")]
        root: std::path::PathBuf,
    },
    /// Ask a running process whether it is ready, as a container's health check does.
    Health {
        /// The probe.
        #[arg(default_value = "http://127.0.0.1:8081/health/ready")]
        url: Url,
    },
}

/// The command of a program whose platform has an API.
const PLATFORM: &str = "platform";

/// The commands that read the settings; the first of them is not always there.
const WITH_SETTINGS: [&str; 11] =
    [PLATFORM, "receive", "work", "doctor", "config", "send", "calls", "jobs", "retry", "erase", "setup"];

/// Does what the command line says; `from_file` is what `.env` set.
#[tokio::main]
async fn run(app: &App, from_file: &FromFile) -> anyhow::Result<ExitCode> {
    let arguments: Vec<_> = env::args_os().collect();
    let matches = app.bare(arguments.clone()).matches().unwrap_or_else(|error| without_key(error).exit());
    refuse_secrets_as_flags(app.declared, settings_in(&matches, app.with_settings()))?;
    if let (Some(api), Some((PLATFORM, matches))) = (app.api, matches.subcommand()) {
        let command =
            PlatformCommand::from_arg_matches(matches).unwrap_or_else(|error| without_key(error).exit());
        return commands::platform::run(&command, &app.source(arguments)?, api).await;
    }
    let Cli { command } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| without_key(error).exit());
    let source = || app.source(arguments.clone());
    match command {
        None => run_all(app, source()?).await?,
        Some(Cmd::Receive) => serve(app, &source()?, Roles { receive: true, work: false }).await?,
        Some(Cmd::Work) => serve(app, &source()?, Roles { receive: false, work: true }).await?,
        Some(Cmd::Init(args)) => commands::init::run(&args, app.parts.platform, app.example)?,
        Some(Cmd::Doctor(args)) => {
            if !commands::doctor::run(&args, source(), &app.parts.jobs, app.parts.platform).await {
                return Ok(ExitCode::FAILURE);
            }
        }
        Some(Cmd::Config) => {
            let source = source()?;
            commands::config::print(&source, subcommand(&source.matches()?)?, from_file)?;
        }
        Some(Cmd::Send(args)) => commands::send::run(*args, source()?.config()?, app.parts.platform).await?,
        Some(Cmd::Calls(command)) => commands::calls::run(&command, &source()?.config()?).await?,
        Some(Cmd::Jobs(command)) => {
            commands::jobs::run(&command, &source()?.config()?, &app.parts.jobs).await?;
        }
        Some(Cmd::Retry(args)) => commands::retry::run(&args, &source()?.config()?, &app.parts.jobs).await?,
        Some(Cmd::Erase(args)) => commands::erase::run(&args, &source()?.config()?).await?,
        Some(Cmd::Setup { job }) => {
            commands::setup::run(job.as_deref(), &source()?.config()?, &app.parts.jobs).await?;
        }
        #[cfg(feature = "dev")]
        Some(Cmd::Settings { root }) => {
            // What this machine's environment holds is no default of anybody else's.
            crate::dev::settings::write(&app.bare(arguments), &root)?;
        }
        Some(Cmd::Health { url }) => admin::ask(url).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn subcommand(matches: &ArgMatches) -> anyhow::Result<&ArgMatches> {
    matches.subcommand().map(|(_, matches)| matches).context("a command was parsed")
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
