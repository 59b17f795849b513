//! Starts a quality review of calls that went wrong: missed, abandoned, or answered and over in no time. ★ Edit what is
//! worth a review.

use engine::{
    call::{Call, Status},
    config::ConfigError,
    job::{Job, JobError, Outcome},
    need,
    vendor::webhook::Webhook,
};

use crate::settings::Settings;

/// Delivers the call to `REVIEW_URL`.
pub struct ReviewCall {
    reviewers: Webhook,
}

impl Job for ReviewCall {
    const NAME: &'static str = "review-call";

    type Settings = Settings;

    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let url = need!(settings.review_url)?.clone();
        Ok(Self { reviewers: Webhook::new("REVIEW_URL", url, settings.review_secret.as_ref())? })
    }

    fn destination(&self) -> String {
        self.reviewers.origin()
    }

    fn wants(call: &Call, settings: &Settings) -> bool {
        match call.status {
            Some(Status::Missed | Status::Abandoned) => true,
            Some(Status::Answered) => {
                call.talk_time_seconds.is_some_and(|talk| talk < settings.review_short_seconds)
            }
            _ => false,
        }
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let key = self.reviewers.deliver(Self::NAME, call).await?;
        Ok(Outcome::done("delivery", key).into())
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::{call, run};

    use super::*;
    use crate::receive::after_call::PLATFORM;

    #[test]
    fn a_missed_call_and_a_very_short_one_are_worth_a_review() {
        let url = "REVIEW_URL={vendor}/reviews";
        let ran = run::<ReviewCall>(&[url], &call(&PLATFORM, "missed"));
        assert!(ran.wanted && ran.outcome.is_ok());
        assert_eq!(ran.received[0].path, "/reviews");
        // The sample's call has a talk time of 251 s.
        for (least, wanted) in [("251", false), ("252", true)] {
            let least = format!("REVIEW_SHORT_SECONDS={least}");
            assert_eq!(run::<ReviewCall>(&[url, &least], &call(&PLATFORM, "answered")).wanted, wanted);
        }
    }
}
