//! `init`: a `.env` with fresh secrets, and what to paste into the platform's form.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    config::{dotenv, new_secret},
    package::Package,
    platform::{Form, Platform},
};

/// Where the file goes, and under which name the platform will find this server.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The file to write; one that exists is left as it is.
    #[arg(long, default_value = dotenv::NAME)]
    path: PathBuf,

    /// The name under which the platform reaches this server: calls.example.com.
    #[arg(long, conflicts_with = "public_url")]
    domain: Option<String>,

    /// The same as a URL, where it is more than `https://DOMAIN`: <https://example.com/calls>.
    #[arg(long)]
    public_url: Option<Url>,
}

/// Writes the file, readable by its owner alone, and prints what to paste.
///
/// # Errors
///
/// The file is there already or can't be written, or the public address is none that the platform could use.
pub fn run(args: &InitArgs, platform: &Platform, example: &str) -> anyhow::Result<()> {
    let public_url = public_url(args)?;
    let (token, console_password, postgres_password) = (new_secret()?, new_secret()?, new_secret()?);
    let base = public_url.as_ref().map(|url| url.as_str().trim_end_matches('/'));
    let mut lines = vec![
        ("WEBHOOK_TOKEN", token.expose_secret()),
        ("CONSOLE_PASSWORD", console_password.expose_secret()),
        ("POSTGRES_PASSWORD", postgres_password.expose_secret()),
    ];
    lines.extend(public_url.as_ref().and_then(Url::host_str).map(|domain| ("DOMAIN", domain)));
    lines.extend(base.map(|url| ("PUBLIC_URL", url)));
    write(&args.path, &filled_in(example, &lines).into())?;
    let setting = |name| platform.default(name).unwrap_or_default();
    let form = (platform.form)(&Form {
        webhook: format!("{}{}", base.unwrap_or("https://DOMAIN"), setting("WEBHOOK_PATH")),
        header: setting("WEBHOOK_TOKEN_HEADER").to_owned(),
        token: token.expose_secret().to_owned(),
    });
    let (path, package) = (args.path.display(), Package::of_this_process());
    let mut out = io::stdout();
    writeln!(out, "{path} is written, for its owner's eyes alone.\n\n{}\n", form.trim_end())?;
    if base.is_none() {
        writeln!(out, "DOMAIN stands for this server's public name: put it into {path} too.\n")?;
    }
    writeln!(
        out,
        "Then fill in what {path} leaves open: {} says what is missing, {} sends a call.",
        package.command("doctor"),
        package.command("send")
    )?;
    Ok(())
}

/// The example with these settings in place of its own lines for them.
fn filled_in(example: &str, settings: &[(&str, &str)]) -> String {
    let line = |line: &str| {
        let name = line.trim_start_matches('#').split('=').next();
        match settings.iter().find(|(setting, _)| Some(*setting) == name) {
            Some((name, value)) => format!("{name}={value}\n"),
            None => format!("{line}\n"),
        }
    };
    example.lines().map(line).collect()
}

/// (Documentation, "Prerequisites": "A publicly reachable HTTPS URL".)
fn public_url(args: &InitArgs) -> anyhow::Result<Option<Url>> {
    let url = match (&args.domain, &args.public_url) {
        (Some(domain), _) => {
            let url = Url::parse(&format!("https://{domain}")).ok();
            let url = url.filter(|url| url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(domain)));
            Some(url.context("--domain is no name of a host: write calls.example.com")?)
        }
        (None, url) => url.clone(),
    };
    if let Some(url) = &url {
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if url.scheme() != "https" || !plain || url.fragment().is_some() {
            bail!(
                "--public-url must be https://, a host and a path at most: the platform delivers to no other"
            );
        }
    }
    Ok(url)
}

/// An existing file is never opened: the secrets in it are somebody's.
fn write(path: &PathBuf, text: &SecretString) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match file {
        Ok(mut file) => file.write_all(text.expose_secret().as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!(
            "{} is there already, and stays as it is: move it away first, or name another file with --path",
            path.display()
        ),
        Err(error) => Err(error),
    }
    .with_context(|| format!("{} can't be written", path.display()))
}
