//! Tells people of trouble, once: the first failure of a kind, a refused credential, a job given up, jobs that are behind,
//! deliveries that are refused, and silence; and once more when it is over.
//!
//! What there is to tell is read from the tables that jobs write anyway, so a crash loses no alert, and several processes
//! send it once: one of them at a time holds a lock. What one look finds goes out as one message, so a flood of failures
//! is none of messages. That events can't be stored, or are refused, is no row of any table: each receiver tells it for
//! itself (`receiver`).

mod news;
mod receiver;
mod refusing;
mod storing;

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, error::Elapsed, interval, timeout};

use crate::{
    config::{AlertConfig, ConfigError},
    rotation::{Live, Part},
    telemetry::Safe,
    vendor::Vendor,
};

/// How often it is looked for news.
const LOOK: Duration = Duration::from_secs(5);

/// How long the database and the chat may take together.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most lines of one message.
const MOST_LINES: usize = 10;

/// Sends messages to a chat.
pub struct Alerts {
    chat: Vendor,
    url: Live<Url>,
    silence: Option<Duration>,
    quiet: Duration,
    lag: Duration,
}

impl Alerts {
    /// What `ALERT_URL` asks for, if it is set.
    ///
    /// # Errors
    ///
    /// `ALERT_URL` is no web address, or is missing beside `ALERT_SILENCE`.
    pub fn new(config: &AlertConfig) -> Result<Option<Self>, ConfigError> {
        let Some(url) = address(config)? else {
            let lonely = config.silence.map(|_| {
                ConfigError::new("ALERT_SILENCE needs ALERT_URL: where should the silence be told?")
            });
            return lonely.map_or(Ok(None), Err);
        };
        let url = Live::new(url);
        let &AlertConfig { silence, quiet, lag, .. } = config;
        Ok(Some(Self { chat: Vendor::new("the receiver of alerts"), url, silence, quiet, lag }))
    }

    /// What goes by the secret in `ALERT_URL`.
    #[must_use]
    pub fn part(&self) -> Part {
        let unset = || ConfigError::new("ALERT_URL is not set");
        self.url.part(move |config| address(&config.alerts)?.ok_or_else(unset))
    }

    /// Looks for news and tells them, for ever.
    pub async fn watch(self: Arc<Self>, pool: PgPool) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = Failing::default();
        loop {
            look.tick().await;
            failing.note(timeout(PATIENCE, self.tell_news(&pool)).await);
        }
    }

    /// Tells what is new and writes down that it did, in this order: a crash in between tells it twice.
    async fn tell_news(&self, pool: &PgPool) -> anyhow::Result<()> {
        let mut transaction = pool.begin().await?;
        if !news::is_ours_to_tell(&mut transaction).await? {
            return Ok(());
        }
        let mut lines = news::begun(&mut transaction).await?;
        lines.extend(news::waiting(&mut transaction, self.lag).await?);
        lines.extend(news::over(&mut transaction, self.quiet).await?);
        if let Some(silence) = self.silence {
            lines.extend(news::silence(&mut transaction, silence).await?);
        }
        if !lines.is_empty() {
            self.send(lines).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn send(&self, mut lines: Vec<String>) -> anyhow::Result<()> {
        if lines.len() > MOST_LINES {
            let more = lines.split_off(MOST_LINES).len();
            lines.push(format!("and {more} more: the console and the view call_job tell"));
        }
        let text = lines.join("\n");
        // A caller's words stand in it: https://docs.slack.dev/messaging/formatting-message-text#escaping
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let request =
            self.chat.request(Method::POST, Url::clone(&self.url.now())).json(&json!({ "text": text }));
        self.chat.send(request).await?.success()?;
        Ok(())
    }
}

/// Whether people can't be told, which the log says once until they can.
#[derive(Default)]
struct Failing(bool);

impl Failing {
    /// Takes note of a try, and returns whether it succeeded.
    fn note(&mut self, told: Result<anyhow::Result<()>, Elapsed>) -> bool {
        let told = told.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", PATIENCE.as_secs())));
        if let Err(error) = &told
            && !self.0
        {
            let error = format!("{error:#}");
            tracing::error!("alerts can't be told, and are tried again: {}", Safe(&error));
        }
        self.0 = told.is_err();
        !self.0
    }
}

/// Where alerts go.
fn address(config: &AlertConfig) -> Result<Option<Arc<Url>>, ConfigError> {
    let address = |url: &SecretString| {
        let url = url.expose_secret().parse::<Url>().ok().filter(Url::has_host);
        // Without the text itself, which lets whoever has it write into the chat.
        url.map(Arc::new).ok_or_else(|| {
            ConfigError::new("ALERT_URL is no web address: https://hooks.slack.com/services/…")
        })
    };
    config.url.as_ref().map(address).transpose()
}
