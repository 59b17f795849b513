//! What is said once all is ready: where everything is, and a line to paste.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    net::SocketAddr,
};

use secrecy::ExposeSecret;

use super::{Dev, Played};
use crate::{app::Parts, config::Config, package::Package, platform::Said};

impl Dev {
    /// Says where everything is, and gives a line to paste.
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    pub fn greet(
        &self,
        config: &Config,
        parts: &Parts,
        address: SocketAddr,
        admin: SocketAddr,
    ) -> anyhow::Result<()> {
        let webhook = format!("http://{address}{}", config.webhook.path);
        let banner = self.banner(config, parts, &webhook, admin)?;
        io::stdout().write_all(banner.as_bytes())?;
        Ok(())
    }

    fn banner(
        &self,
        config: &Config,
        parts: &Parts,
        webhook: &str,
        admin: SocketAddr,
    ) -> anyhow::Result<String> {
        let mut text = String::new();
        let ms = self.begun.elapsed().as_millis();
        let package = Package::of_this_process();
        writeln!(text, "\n  {} {} ready in {ms} ms\n", package.title(), package.version)?;
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
            writeln!(text, "  ➜  Console   http://{admin}/ with {password}")?;
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
            for Played { name, listing, unless, .. } in &self.played {
                let url = &stand_in.url;
                writeln!(
                    text,
                    "  ➜  {name}   a stand-in, which shows what arrived: {url}/stand-in/{listing}"
                )?;
                let set = if unless.len() == 1 { "sets" } else { "set" };
                writeln!(text, "               {} {set} your own", unless.join(", "))?;
            }
        }
        let on = &config.jobs.enabled.0;
        writeln!(text, "  ➜  Jobs      on: {}", on.join(", "))?;
        for job in parts.jobs.all().iter().filter(|job| !on.iter().any(|on| on == job.name)) {
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
            self.curl(config, parts, webhook)
        )?;
        Ok(text)
    }

    /// A line to paste; its call is a new one at every start, and the same one each time that it is pasted.
    fn curl(&self, config: &Config, parts: &Parts, webhook: &str) -> String {
        let header = &config.webhook.token_header;
        let credential = match &config.webhook.token {
            Some(secret) if self.secret.is_some() => format!("{header}: {}", secret.expose_secret()),
            Some(_) => format!("{header}: $WEBHOOK_TOKEN"),
            None => {
                "Authorization: Basic $(printf %s \"$WEBHOOK_BASIC_USER:$WEBHOOK_BASIC_PASSWORD\" | base64)"
                    .to_owned()
            }
        };
        let fields = self.vendors.map_or(&[][..], |vendors| vendors.fields).iter();
        let custom_fields = fields.map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let token = config.webhook.token.as_ref().filter(|_| self.secret.is_some());
        let token = token.map(|token| token.expose_secret().to_owned());
        let mut event = (parts.platform.sample)("answered", "inbound");
        if let Some(event) = event.as_object_mut() {
            (parts.platform.write)(event, &Said { custom_fields, token, ..Said::default() });
        }
        format!("curl -X POST {webhook} -H \"{credential}\" -H 'Content-Type: application/json' -d '{event}'")
    }
}
