//! The stand-in as a program of its own, for development with containers and for looking at it with curl.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use stand_in::{Options, StandIn};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
    let mut options = Options { listen: ([127, 0, 0, 1], 9090).into(), ..Options::default() };
    options.update_from(std::env::args_os());
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stand-in: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> io::Result<()> {
    let stand_in = StandIn::start(options).await?;
    println!("stand-in on {}", stand_in.url());
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
