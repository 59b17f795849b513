//! Tells the team's chat about a missed call.

use reqwest::{Method, Url};

use crate::{
    call::{Call, Status},
    config::{Config, ConfigError},
    job::{Job, JobError, Outcome},
    vendor::Vendor,
};

/// Tells the team's chat about a missed call.
pub struct TellChat {
    chat: Vendor,
    url: Url,
}

impl Job for TellChat {
    const NAME: &'static str = "tell-chat";

    fn new(_: &Config) -> Result<Self, ConfigError> {
        let url = std::env::var("CHAT_URL").ok().and_then(|url| url.parse().ok());
        let url = url.ok_or_else(|| ConfigError::new("CHAT_URL is not set to the chat's webhook"))?;
        Ok(Self { chat: Vendor::new("the chat"), url })
    }

    fn destination(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn wants(call: &Call, _: &Config) -> bool {
        call.status == Some(Status::Missed)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let message = serde_json::json!({ "text": format!("Missed call {}", call.call_id) });
        let request = self.chat.request(Method::POST, self.url.clone()).json(&message);
        self.chat.send(request).await?.success()?;
        Ok(Outcome::done("message", call.call_id.as_str()).into())
    }
}
