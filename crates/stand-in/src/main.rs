//! The stand-in as a program of its own, for development with containers and for looking at it with curl.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use stand_in::{Options, RateLimit, StandIn, zendesk};

/// Plays HubSpot's and Zendesk's HTTP APIs, with state and with faults, for development and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen
    #[arg(long, env = "STAND_IN_LISTEN", default_value = "127.0.0.1:9090")]
    listen: SocketAddr,

    /// The bearer token that callers of HubSpot must send
    #[arg(long, env = "STAND_IN_TOKEN", default_value = "stand-in", hide_env_values = true)]
    token: String,

    /// Start without the call property `external_call_id`, as a new HubSpot account does
    #[arg(long, env = "STAND_IN_WITHOUT_PROPERTY")]
    without_property: bool,

    /// Answer 429 to more requests than this in ten seconds (HubSpot's own limit: 100)
    #[arg(long, env = "STAND_IN_RATE_LIMIT", value_name = "REQUESTS")]
    rate_limit: Option<usize>,

    /// The OAuth client of Zendesk's callers
    #[arg(long, env = "STAND_IN_ZENDESK_CLIENT_ID", default_value = "stand-in")]
    zendesk_client_id: String,

    /// The secret of that client
    #[arg(
        long,
        env = "STAND_IN_ZENDESK_CLIENT_SECRET",
        default_value = "stand-in-secret",
        hide_env_values = true
    )]
    zendesk_client_secret: String,

    /// Answer 429 to more updates of tickets than this in a minute (Zendesk's own limit: 100)
    #[arg(long, env = "STAND_IN_ZENDESK_UPDATE_LIMIT", value_name = "UPDATES")]
    zendesk_update_limit: Option<usize>,

    /// Answer 429 to more updates of one ticket than this in ten minutes
    #[arg(long, env = "STAND_IN_ZENDESK_TICKET_LIMIT", value_name = "UPDATES", default_value_t = 30)]
    zendesk_ticket_limit: usize,

    /// Answer 429 to more searches than this in a second
    #[arg(long, env = "STAND_IN_SEARCH_LIMIT", value_name = "SEARCHES", default_value_t = 5)]
    search_limit: usize,

    /// A file in which calls, contacts, properties and tickets outlive a restart
    #[arg(long, env = "STAND_IN_KEEP", value_name = "FILE")]
    keep: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stand-in: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let stand_in = StandIn::start(Options {
        listen: arguments.listen,
        token: arguments.token,
        unique_property: !arguments.without_property,
        rate_limit: arguments.rate_limit.map(|requests| RateLimit { requests, ..RateLimit::hubspot() }),
        search_limit: Some(RateLimit { requests: arguments.search_limit, ..RateLimit::hubspot_search() }),
        zendesk: zendesk::Options {
            client_id: arguments.zendesk_client_id,
            client_secret: arguments.zendesk_client_secret,
            update_limit: arguments
                .zendesk_update_limit
                .map(|requests| RateLimit { requests, ..RateLimit::zendesk() }),
            ticket_limit: Some(RateLimit {
                requests: arguments.zendesk_ticket_limit,
                ..RateLimit::zendesk_ticket()
            }),
            ..zendesk::Options::default()
        },
        keep: arguments.keep,
    })
    .await?;
    println!("stand-in for HubSpot and Zendesk on {}", stand_in.url());
    asked_to_stop().await?;
    stand_in.stop().await;
    Ok(())
}

/// Ctrl-C, and on Unix the SIGTERM that containers and supervisors send.
async fn asked_to_stop() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
