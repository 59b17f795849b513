//! What a receiver of after-call webhooks needs beside its platform, its jobs and its vendors. It knows none of those.
//!
//! The modules in the order in which a call meets them:
//!
//! 1. [`serve`]: the connection that it comes on.
//! 2. [`guard`]: may this request speak to us?
//! 3. [`platform`]: how a platform's bytes become a [`call`], with [`fields`] to read them leniently.
//! 4. [`inbox`]: dedupe and enqueue in one transaction; then the [`answer`] 200.
//! 5. [`work`]: the queues, and one run of a [`job`] with what follows from its end.
//! 6. [`vendor`]: what the clients of all vendors share.
//!
//! Around them: [`cli`] (what `main` calls), [`config`] (every setting), [`app`] (start and stop), [`receiver`] (what a
//! handler can reach), [`admin`] (the second listener), [`console`] (pages for people), [`alerts`] (messages to them),
//! [`commands`] (what the program does besides receiving and working), [`db`] (pools and migrations), [`rotation`] (secrets
//! that change), `presence` (which receivers there are, and what each admits), [`readiness`] (probes), [`telemetry`] (logs), [`trace`] (the trace that a
//! delivery is part of), `metrics` and `tally` (counts for a Prometheus, and for the console), [`recording`] (how it is
//! fetched, and when two links are one), [`package`](mod@package) (the program's name), and [`dev`], what `cargo run` brings so that nothing has to be
//! set up. [`testing`] runs a job in a test.

pub mod admin;
pub mod alerts;
pub mod answer;
pub mod app;
pub mod call;
pub mod cli;
pub mod commands;
pub mod config;
#[cfg(feature = "console")]
pub mod console;
pub mod db;
#[cfg(feature = "dev")]
pub mod dev;
pub mod fields;
pub mod guard;
pub mod inbox;
pub mod job;
mod metrics;
pub mod package;
pub mod platform;
mod presence;
pub mod readiness;
pub mod receiver;
pub mod recording;
pub mod rotation;
pub mod search;
pub mod serve;
mod tally;
pub mod telemetry;
pub mod testing;
pub mod trace;
pub mod vendor;
pub mod work;
