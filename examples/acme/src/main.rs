//! Acme's receiver: calls of Aircall are logged in Salesforce and noted on tickets of Freshdesk.
//!
//! 1. [`receive`]: Aircall's webhook.
//! 2. [`jobs`]: what is done with a call.
//! 3. [`clients`]: Salesforce and Freshdesk.

#![expect(unreachable_pub, reason = "the modules are written as those of a library are")]

mod clients;
mod jobs;
mod receive;
mod settings;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use engine::{cli::App, package};

fn main() -> ExitCode {
    app().run()
}

fn app() -> App {
    App::new(
        package!(),
        &receive::aircall::PLATFORM,
        receive::routes,
        jobs::ALL,
        include_str!("../.env.example"),
    )
}
