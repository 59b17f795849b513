//! Aftercall receives the after-call webhook of a telephone platform and does, once for every call, what is to be done.
//!
//! The modules in the order in which a call meets them:
//!
//! 1. [`receive::guard`]: may this request speak to us?
//! 2. [`receive::after_call`]: bytes to a [`Call`](call::Call). ★ Another platform.
//! 3. [`receive::store`]: dedupe and enqueue in one transaction; then the answer 200.
//! 4. [`work`]: the queues, and one run of a [`job`] with what follows from its end.
//! 5. [`jobs`]: what happens to a call. ★ Your own jobs.
//! 6. [`clients`]: the vendors' APIs, over [`vendor`]. ★ Your own CRM.
//!
//! Around them: [`config`] (every setting), [`error`] (the table of answers), [`app`] (routes, start and stop), [`admin`]
//! (the second listener), [`console`] (pages for people), [`alerts`] (messages to them), [`commands`] (what the program
//! does besides receiving and working), [`serve`] (connections), [`db`] (pools and migrations), [`rotation`] (secrets that
//! change), [`telemetry`] (logs), and [`dev`], what `cargo run` brings so that nothing has to be set up.

pub mod admin;
pub mod alerts;
pub mod app;
pub mod call;
pub mod clients;
pub mod commands;
pub mod config;
#[cfg(feature = "console")]
pub mod console;
pub mod db;
#[cfg(feature = "dev")]
pub mod dev;
pub mod error;
pub mod job;
pub mod jobs;
pub mod readiness;
pub mod receive;
pub mod rotation;
pub mod serve;
pub mod telemetry;
pub mod vendor;
pub mod work;
