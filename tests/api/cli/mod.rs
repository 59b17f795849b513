//! The commands besides receiving and working, as a person at a shell meets them.

mod calls;
mod config;
pub(crate) mod doctor;
mod documented;
mod dotenv;
mod encryption;
mod erase;
mod init;
mod jobs;
mod refused;
mod retry;
mod send;
mod tls;

use crate::helpers::{Ran, run};

/// Settings as the helpers take them.
fn settings<V: Into<String>>(pairs: impl IntoIterator<Item = (&'static str, V)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// These settings with one of them changed, or taken away where it is empty.
pub(crate) fn changed(usual: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut all = usual.to_vec();
    all.retain(|(usual, _)| usual != name);
    if !value.is_empty() {
        all.push((name.to_owned(), value.to_owned()));
    }
    all
}

pub(crate) async fn program(arguments: &[&str], settings: &[(String, String)]) -> Ran {
    run(arguments, settings, "").await
}
