//! Aftercall receives the after-call webhook of a telephone platform and does, once for every call, what is to be done.
//!
//! What happens to a call, in its order:
//!
//! 1. [`receive`]: the route and its handler. May it speak to us? What does it say? It is stored, and answered.
//!    ★ Another platform.
//! 2. [`jobs`]: what is to be done with a call. ★ Your own jobs.
//! 3. [`clients`]: what is written of it at the vendors. ★ Your own CRM.
//!
//! [`settings`] are what those need to know. Beneath are the vendors' APIs, `crates/…-api`, and the crate `engine`, whose
//! `lib.rs` is a map as well: who may deliver, the inbox, the queues, the ledger, the console, the commands.

#![expect(unreachable_pub, reason = "the modules are written as those of a library are")]

mod clients;
mod jobs;
mod receive;
mod settings;

use std::process::ExitCode;

use engine::{cli::App, package};

fn main() -> ExitCode {
    let example = include_str!("../.env.example");
    let app = App::new(package!(), &receive::after_call::PLATFORM, receive::routes, jobs::ALL, example);
    let app = app.with_api(&clients::after_call::API);
    #[cfg(feature = "dev")]
    let app = app.played_by(&clients::STAND_INS);
    app.run()
}
