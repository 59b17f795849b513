//! `aftercall init`: a `.env` with fresh secrets, and what to paste into the platform's form.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use anyhow::{Context, bail};
use askama::Template;
use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::config::{DEFAULT_PATH, DEFAULT_TOKEN_HEADER, dotenv, new_secret};

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

#[derive(Template)]
#[template(path = "dotenv.txt", escape = "none")]
struct DotEnv<'a> {
    token: &'a str,
    console_password: &'a str,
    postgres_password: &'a str,
    domain: Option<&'a str>,
    public_url: Option<&'a str>,
}

/// What the platform asks for. (Documentation, "Quick start" and "Alternative setup — API".)
#[derive(Template)]
#[template(path = "platform_form.txt", escape = "none")]
struct PlatformForm<'a> {
    path: String,
    webhook: String,
    header: &'a str,
    token: &'a str,
    has_domain: bool,
}

/// Writes the file, readable by its owner alone, and prints what to paste.
///
/// # Errors
///
/// The file is there already or can't be written, or the public address is none that the platform could use.
pub fn run(args: &InitArgs) -> anyhow::Result<()> {
    let public_url = public_url(args)?;
    let (token, console_password, postgres_password) = (new_secret()?, new_secret()?, new_secret()?);
    let base = public_url.as_ref().map(|url| url.as_str().trim_end_matches('/'));
    let file = DotEnv {
        token: token.expose_secret(),
        console_password: console_password.expose_secret(),
        postgres_password: postgres_password.expose_secret(),
        domain: public_url.as_ref().and_then(Url::host_str),
        public_url: base,
    };
    write(&args.path, &format!("{}\n", file.render()?).into())?;
    let form = PlatformForm {
        path: args.path.display().to_string(),
        webhook: format!("{}{DEFAULT_PATH}", base.unwrap_or("https://DOMAIN")),
        header: DEFAULT_TOKEN_HEADER,
        token: token.expose_secret(),
        has_domain: base.is_some(),
    };
    writeln!(io::stdout(), "{}", form.render()?)?;
    Ok(())
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
