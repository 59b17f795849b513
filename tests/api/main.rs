//! Aftercall from outside: the real binary over a real Postgres, heard and spoken to over HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod alerts;
mod answers;
mod calls_http;
mod cli;
#[cfg(feature = "console")]
mod console;
mod credentials;
mod database_trouble;
mod delivery;
mod events;
#[cfg(feature = "dev")]
mod first_run;
mod given_up;
mod helpers;
mod hostile;
mod hubspot;
mod metrics;
mod newest;
mod platform;
mod proxies;
#[path = "../../src/receive/mod.rs"]
#[expect(unreachable_pub, dead_code, reason = "its parser is tried with any bytes")]
mod receive;
mod retention;
mod retries;
mod rotation;
mod signatures;
mod silent_database;
mod stopping;
mod traces;
mod upgrade;
mod vendor_trouble;
mod views;
mod waiting;
mod webhooks;
mod zendesk;
