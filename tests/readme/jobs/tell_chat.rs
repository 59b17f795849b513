//! Tells the team's chat about a missed call.

use engine::{
    call::{Call, Status},
    config::ConfigError,
    job::{Job, JobError, Outcome},
    need,
    vendor::Vendor,
};
use reqwest::{Method, Url};

use crate::settings::Settings;

/// Tells the team's chat about a missed call.
pub struct TellChat {
    chat: Vendor,
    url: Url,
}

impl Job for TellChat {
    const NAME: &'static str = "tell-chat";
    const ONCE_A_CALL: bool = true;

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { chat: Vendor::new("the chat"), url: need!(settings.chat_url)?.clone() })
    }

    fn destination(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn wants(call: &Call, _: &Settings) -> bool {
        call.status == Some(Status::Missed)
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let message = serde_json::json!({ "text": format!("Missed call {}", call.call_id) });
        let request = self.chat.request(Method::POST, self.url.clone()).json(&message);
        self.chat.send(request).await?.success()?;
        Ok(Outcome::done("message", call.call_id.as_str()).into())
    }
}
