//! `doctor`: everything that a deployment needs, looked at, with what to do where something is wrong.
//!
//! It changes nothing, here or at a vendor. Where a part of the program already refuses a wrong setting, that part is asked.
//!
//! - `database`: Postgres, its rights, its tables, its clock
//! - `token`: how long the platform's token has been in force
//! - `settings`: credentials, addresses
//! - `jobs`: their settings, and the vendors
//! - `public_url`: this server as the platform sees it
//! - `delivery`: in place of all that, one delivery that was refused

mod database;
mod delivery;
mod jobs;
mod public_url;
mod report;
mod settings;
mod token;

use std::path::PathBuf;

use clap::Args;

use crate::{config::Source, job::Jobs, platform::Platform};
use report::Report;

/// What to look at.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Look at this delivery alone: its credential, its signature and its body. The file holds an HTTP request as it was sent:
    /// its headers, an empty line and its body.
    #[arg(long, value_name = "FILE")]
    delivery: Option<PathBuf>,
}

/// Looks at everything, prints a line for each thing, and returns whether all is well.
pub async fn run(
    args: &DoctorArgs,
    source: anyhow::Result<Source>,
    jobs: &Jobs,
    platform: &Platform,
) -> bool {
    let mut report = Report::default();
    match source.and_then(|source| Ok(source.config()?)) {
        Err(error) => {
            report.cross("settings", &error.to_string(), "correct it first: the rest depends on it");
        }
        Ok(config) => {
            if let Some(file) = &args.delivery {
                delivery::check(file, &config, platform, &mut report);
                return report.end();
            }
            database::check(&config, &mut report).await;
            settings::check(&config, &mut report);
            jobs::check(&config, jobs, &mut report).await;
            public_url::check(&config, &mut report).await;
        }
    }
    report.end()
}
