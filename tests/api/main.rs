//! Aftercall from outside: the real binary over a real Postgres, heard and spoken to over HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod alerts;
mod answers;
mod cli;
mod console;
mod credentials;
mod crm;
mod delivery;
mod events;
mod first_run;
mod helpers;
mod hostile;
mod proxies;
mod readme;
mod retries;
mod signatures;
mod stopping;
mod tickets;
mod vendor_trouble;
mod views;
mod webhooks;
