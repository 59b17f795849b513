//! `doctor`: everything that a deployment needs, looked at, with what to do where something is wrong.
//!
//! It changes nothing, here or at a vendor. Where a part of the program already refuses a wrong setting, that part is asked.
//!
//! - `database`: Postgres, its rights, its tables, its clock
//! - `settings`: credentials, addresses
//! - `jobs`: their settings, and the vendors
//! - `public_url`: this server as the platform sees it

mod database;
mod jobs;
mod public_url;
mod report;
mod settings;

use crate::{config::Source, job::Jobs};
use report::Report;

/// Looks at everything, prints a line for each thing, and returns whether all is well.
pub async fn run(source: anyhow::Result<Source>, jobs: &Jobs) -> bool {
    let mut report = Report::default();
    match source.and_then(|source| Ok(source.config()?)) {
        Err(error) => {
            report.cross("settings", &error.to_string(), "correct it first: the rest depends on it");
        }
        Ok(config) => {
            database::check(&config, &mut report).await;
            settings::check(&config, &mut report);
            jobs::check(&config, jobs, &mut report).await;
            public_url::check(&config, &mut report).await;
        }
    }
    let Report { ticks, crosses, dashes } = report;
    println!("{ticks} well, {crosses} wrong, {dashes} not looked at");
    crosses == 0
}
