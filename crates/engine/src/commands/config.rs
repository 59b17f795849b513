//! `config`: the settings in force, and where each came from.

use std::{collections::BTreeMap, env, fmt::Write as _, io::Write as _};

use clap::{ArgMatches, parser::ValueSource};
use reqwest::Url;

use crate::config::{
    Source,
    declared::{is_secret, variable},
    dotenv::{self, FromFile},
};

/// What stands for a secret that is set: neither its length nor its beginning.
pub const MASK: &str = "********";

/// In place of where a setting came from that has no value.
const UNSET: &str = "not set";

/// Prints each setting as `NAME=value  # where it came from`, in the order of their names.
///
/// `matches` are those of `config`'s own arguments, and `from_file` is what [`dotenv::load`] returned.
///
/// # Errors
///
/// Standard output is closed.
pub fn print(source: &Source, matches: &ArgMatches, from_file: &FromFile) -> anyhow::Result<()> {
    let environment =
        |name: &str| if from_file.contains(name) { dotenv::NAME } else { "environment" }.to_owned();
    let mut lines = BTreeMap::new();
    for (argument, _) in source.declared().arguments() {
        let Some(name) = variable(&argument) else { continue };
        let id = argument.get_id().as_str();
        let value = matches.get_raw(id).into_iter().flatten().next();
        let source = match matches.value_source(id) {
            None => UNSET.to_owned(),
            Some(ValueSource::CommandLine) => format!("--{}", argument.get_long().unwrap_or(id)),
            Some(ValueSource::EnvVariable) => environment(name),
            Some(_) if !is_secret(&argument) => "default".to_owned(),
            Some(_) if env::var_os(name).is_some() => environment(name),
            Some(_) => format!("the file that {name}_FILE names"),
        };
        let value = match value {
            Some(_) if is_secret(&argument) => MASK.to_owned(),
            Some(value) => shown(name, &value.to_string_lossy()),
            None => String::new(),
        };
        lines.insert(name.to_owned(), (value, source));
    }
    let mut text = String::new();
    for (name, (value, source)) in lines {
        writeln!(text, "{name}={value}  # {source}")?;
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// Of a URL the origin alone: a user, a path or a query may be the key to what stands behind it.
fn shown(name: &str, value: &str) -> String {
    match Url::parse(value) {
        Ok(url)
            if url.has_host() && url.as_str().trim_end_matches('/') != url.origin().ascii_serialization() =>
        {
            format!("{}/{MASK}", url.origin().ascii_serialization())
        }
        // `hooks.example:443/key`, which lacks the `https://`, is a URL too, and one without a host.
        Ok(url) if name.ends_with("_URL") && !url.has_host() => MASK.to_owned(),
        _ => value.to_owned(),
    }
}
