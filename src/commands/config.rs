//! `aftercall config`: the settings in force, and where each came from.

use std::{collections::BTreeMap, env, fmt::Write as _, io::Write as _};

use clap::{ArgMatches, Args, parser::ValueSource};
use reqwest::Url;

use crate::config::{
    Config,
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
/// A secret can't be read, or standard output is closed.
pub fn print(config: Config, matches: &ArgMatches, from_file: &FromFile) -> anyhow::Result<()> {
    let environment =
        |name: &str| if from_file.contains(name) { dotenv::NAME } else { "environment" }.to_owned();
    let mut lines = BTreeMap::new();
    let arguments = Config::augment_args(clap::Command::new("config"));
    for argument in arguments.get_arguments() {
        let Some(name) = argument.get_env().and_then(|name| name.to_str()) else { continue };
        let id = argument.get_id().as_str();
        let source = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => format!("--{}", argument.get_long().unwrap_or(id)),
            Some(ValueSource::EnvVariable) => environment(name),
            Some(_) => "default".to_owned(),
            None => UNSET.to_owned(),
        };
        let value = matches.get_raw(id).into_iter().flatten().next();
        lines.insert(
            name.to_owned(),
            (value.map_or_else(String::new, |value| shown(name, &value.to_string_lossy())), source),
        );
    }
    for (name, secret) in config.with_secrets()?.secrets() {
        let file_name = format!("{name}_FILE");
        let line = match secret {
            None => (String::new(), UNSET.to_owned()),
            Some(_) if env::var_os(name).is_some() => (MASK.to_owned(), environment(name)),
            Some(_) => (MASK.to_owned(), format!("the file that {file_name} names")),
        };
        lines.insert(name.to_owned(), line);
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
