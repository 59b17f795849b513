//! Pages the manager when a caller has hung up after a long wait.

use engine::{
    call::{Call, Status},
    config::{ConfigError, Secret},
    job::{Job, JobError, Outcome},
    need,
    vendor::{Vendor, idempotency_key},
};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::settings::Settings;

/// Sends an event to the pager, under a key by which it knows a repeat.
pub struct PageManager {
    pager: Vendor,
    url: Url,
    key: Secret,
}

impl Job for PageManager {
    const NAME: &'static str = "page-manager";

    const ONCE_A_CALL: bool = true;

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            pager: Vendor::new("the pager"),
            url: need!(settings.pager_url)?.clone(),
            key: need!(settings.pager_key)?.clone(),
        })
    }

    fn destination(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn wants(call: &Call, settings: &Settings) -> bool {
        let waited = call.duration_seconds.is_some_and(|seconds| seconds >= settings.pager_after);
        call.status == Some(Status::Abandoned) && waited
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let key = idempotency_key(&call.call_id);
        let event = json!({
            "routing_key": self.key.expose_secret(),
            "event_action": "trigger",
            "dedup_key": key,
            "payload": { "summary": "A caller has hung up", "severity": "warning", "source": "calls",
                         "custom_details": { "call": call.call_id, "seconds": call.duration_seconds } },
        });
        self.pager.send(self.pager.request(Method::POST, self.url.clone()).json(&event)).await?.success()?;
        Ok(Outcome::done("page", key).into())
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run};

    use super::*;
    use crate::receive::aircall::PLATFORM;

    #[test]
    fn a_caller_who_waited_for_long_and_hung_up_is_paged() {
        let settings = ["PAGER_URL={vendor}/v2/enqueue", "PAGER_KEY=key"];
        let ran = run::<PageManager>(&settings, &call(&PLATFORM, "abandoned"));
        assert!(ran.wanted && ran.outcome.is_ok());
        assert_eq!(ran.received[0].body["routing_key"], "key");
        let settings = [&settings[..], &["PAGER_AFTER=272"]].concat();
        assert!(!run::<PageManager>(&settings, &call(&PLATFORM, "abandoned")).wanted);
    }
}
