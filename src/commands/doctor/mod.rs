//! `aftercall doctor`: everything that a deployment needs, looked at, with what to do where something is wrong.
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
mod settings;

use crate::{config::Config, telemetry::Safe};

/// Looks at everything, prints a line for each thing, and returns whether all is well.
pub async fn run(config: Config) -> bool {
    let mut report = Report::default();
    match config.with_secrets() {
        Err(error) => {
            report.cross("settings", &error.to_string(), "correct it first: the rest depends on it");
        }
        Ok(config) => {
            database::check(&config, &mut report).await;
            settings::check(&config, &mut report);
            jobs::check(&config, &mut report).await;
            public_url::check(&config, &mut report).await;
        }
    }
    let Report { ticks, crosses, dashes } = report;
    println!("{ticks} well, {crosses} wrong, {dashes} not looked at");
    crosses == 0
}

/// How much was found so far; each line is printed as soon as it is known.
#[derive(Default)]
struct Report {
    ticks: u32,
    crosses: u32,
    dashes: u32,
}

impl Report {
    /// It is as it should be.
    fn tick(&mut self, what: &str, found: &str) {
        self.ticks += 1;
        println!("✓ {what}: {}", Safe(found));
    }

    /// It is wrong, and this is what to do.
    fn cross(&mut self, what: &str, found: &str, to_do: &str) {
        self.crosses += 1;
        println!("✗ {what}: {} → {to_do}", Safe(found));
    }

    /// It was not looked at, for this reason.
    fn dash(&mut self, what: &str, why: &str) {
        self.dashes += 1;
        println!("- {what}: {}", Safe(why));
    }
}
