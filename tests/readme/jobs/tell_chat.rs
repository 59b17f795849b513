//! Tells the team's chat about a missed call.

use super::{Job, JobError, Outcome};
use crate::{
    clients::{http, send},
    config::{Config, ConfigError},
    receive::event::{CallEvent, Status},
};

/// Tells the team's chat about a missed call.
pub struct TellChat {
    http: reqwest::Client,
    url: reqwest::Url,
}

impl Job for TellChat {
    const NAME: &'static str = "tell-chat";

    fn new(_: &Config) -> Result<Self, ConfigError> {
        let url = std::env::var("CHAT_URL").ok().and_then(|url| url.parse().ok());
        let url = url.ok_or_else(|| ConfigError::new("CHAT_URL is not set to the chat's webhook"))?;
        Ok(Self { http: http(), url })
    }

    fn destination(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn wants(call: &CallEvent, _: &Config) -> bool {
        call.status == Some(Status::Missed)
    }

    async fn run(&self, call: &CallEvent) -> Result<Outcome, JobError> {
        let message = serde_json::json!({ "text": format!("Missed call {}", call.call_id) });
        send("the chat", self.http.post(self.url.clone()).json(&message)).await?.success("the chat")?;
        Ok(Outcome::done("message", call.call_id.as_str()).into())
    }
}
