//! What is said once all is ready: where everything is, and a line to paste.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    net::SocketAddr,
};

use secrecy::ExposeSecret;

use super::{CONTACT, Dev, Played, TICKET};
use crate::{commands::send, config::Config, jobs};

impl Dev {
    /// Says where everything is, and gives a line to paste.
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    pub fn greet(&self, config: &Config, address: SocketAddr, admin: SocketAddr) -> anyhow::Result<()> {
        let webhook = format!("http://{address}{}", config.webhook.path);
        let banner = self.banner(config, &webhook, admin)?;
        io::stdout().write_all(banner.as_bytes())?;
        Ok(())
    }

    fn banner(&self, config: &Config, webhook: &str, admin: SocketAddr) -> anyhow::Result<String> {
        let mut text = String::new();
        let ms = self.begun.elapsed().as_millis();
        writeln!(text, "\n  Aftercall {} ready in {ms} ms\n", env!("CARGO_PKG_VERSION"))?;
        writeln!(text, "  ➜  Webhook   {webhook}")?;
        if let (Some(file), Some(secret)) = (&self.secret, &config.webhook.token) {
            let header = &config.webhook.token_header;
            writeln!(text, "  ➜  Secret    {header}: {}", secret.expose_secret())?;
            writeln!(
                text,
                "               made for you and kept in {}; WEBHOOK_TOKEN sets your own",
                file.display()
            )?;
        }
        if let Some(password) = &config.console_password {
            let password = match &self.console {
                Some(_) => format!("the password {}", password.expose_secret()),
                None => "your CONSOLE_PASSWORD".to_owned(),
            };
            writeln!(text, "  ➜  Console   http://{admin}/ with any user name and {password}")?;
        }
        if let Some(file) = &self.console {
            let file = file.display();
            writeln!(text, "               made for you and kept in {file}; CONSOLE_PASSWORD sets your own")?;
        }
        if let Some(postgres) = &self.postgres {
            writeln!(text, "  ➜  Postgres  a private one in {}", postgres.directory().display())?;
            writeln!(text, "               psql '{}'; DATABASE_URL sets your own", postgres.url("postgres"))?;
        }
        if let Some(stand_in) = &self.stand_in {
            for Played { name, listing, own, .. } in &self.played {
                let url = stand_in.url();
                writeln!(
                    text,
                    "  ➜  {name}   a stand-in, which shows what arrived: {url}/stand-in/{listing}"
                )?;
                writeln!(text, "               {own}")?;
            }
        }
        let on = &config.jobs.enabled.0;
        writeln!(text, "  ➜  Jobs      on: {}", on.join(", "))?;
        for job in jobs::ALL.iter().filter(|job| !on.iter().any(|on| on == job.name)) {
            writeln!(
                text,
                "               off: {}; JOBS={},{} turns it on",
                job.name,
                on.join(","),
                job.name
            )?;
        }
        writeln!(
            text,
            "\n  Send a call, with `cargo run -- send` or:\n\n{}\n",
            curl(config, webhook, self.secret.is_some())
        )?;
        Ok(text)
    }
}

/// A line to paste; its call is a new one at every start, and the same one each time that it is pasted.
fn curl(config: &Config, webhook: &str, made: bool) -> String {
    let credential = match &config.webhook.token {
        Some(secret) if made => format!("{}: {}", config.webhook.token_header, secret.expose_secret()),
        Some(_) => format!("{}: $WEBHOOK_TOKEN", config.webhook.token_header),
        None => "Authorization: Basic $(printf %s \"$WEBHOOK_BASIC_USER:$WEBHOOK_BASIC_PASSWORD\" | base64)"
            .to_owned(),
    };
    let mut event = send::sample("answered", "inbound");
    event["custom_fields"] =
        serde_json::json!({ "crm_id": CONTACT.1, "ticket_id": TICKET, "priority": "high" });
    format!("curl -X POST {webhook} -H \"{credential}\" -H 'Content-Type: application/json' -d '{event}'")
}
