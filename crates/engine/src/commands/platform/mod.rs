//! `platform`: the webhook at the platform itself, by its API. A program whose platform has none has no such command.
//!
//! - [`rotate`]: a new secret, without a call that is refused
//! - `files`: the two files that hold the secrets, which alone say how far a rotation has come
//! - `watch`: what the receivers say of themselves

mod files;
pub mod rotate;
mod watch;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    config::Source,
    platform::{Api, Shown},
    telemetry::Safe,
};
use rotate::RotateArgs;

/// What to do at the platform.
#[derive(Debug, Subcommand)]
pub enum PlatformCommand {
    /// Make the webhook at the platform, unless it is there; print its id.
    Create,
    /// Show what the platform has, and where it differs from the settings here; it fails where it does.
    Show,
    /// Change the webhook's secret, here and at the platform, without a call that is refused. Safe to interrupt and to run
    /// again: it goes on where it was.
    ///
    /// It needs `WEBHOOK_TOKEN_FILE` and `WEBHOOK_TOKEN_PREVIOUS_FILE`, the files of the receivers, and writes into both.
    Rotate(RotateArgs),
}

/// Does it.
///
/// # Errors
///
/// A setting is missing, or the platform refused, in words that say what to do.
pub async fn run(command: &PlatformCommand, source: &Source, api: &Api) -> anyhow::Result<ExitCode> {
    match command {
        PlatformCommand::Create => print(&(api.create)(source.config()?).await?),
        PlatformCommand::Show => {
            let Shown { lines, as_set } = (api.show)(source.config()?).await?;
            print(&lines);
            if !as_set {
                return Ok(ExitCode::FAILURE);
            }
        }
        PlatformCommand::Rotate(args) => rotate::run(args, source, api).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What the platform said of itself may be in it.
fn print(lines: &[String]) {
    for line in lines {
        println!("{}", Safe(line));
    }
}
