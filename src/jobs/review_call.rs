//! Starts a quality review of calls that went wrong: missed, abandoned, or answered and over in no time. ★ Edit what is
//! worth a review.

use crate::{
    call::{Call, Status},
    clients::webhook::Webhook,
    config::{Config, ConfigError},
    job::{Job, JobError, Outcome},
};

/// Delivers the call to `REVIEW_URL`.
pub struct ReviewCall {
    reviewers: Webhook,
}

impl Job for ReviewCall {
    const NAME: &'static str = "review-call";

    fn new(config: &Config) -> Result<Self, ConfigError> {
        let review = &config.review;
        let url = review.url.clone().ok_or_else(|| {
            ConfigError::new("REVIEW_URL is not set: say who takes reviews, or take review-call out of JOBS")
        })?;
        Ok(Self { reviewers: Webhook::new("REVIEW_URL", url, review.secret.as_ref())? })
    }

    fn destination(&self) -> String {
        self.reviewers.origin()
    }

    fn wants(call: &Call, config: &Config) -> bool {
        match call.status {
            Some(Status::Missed | Status::Abandoned) => true,
            Some(Status::Answered) => {
                call.talk_time_seconds.is_some_and(|talk| talk < config.review.short_seconds)
            }
            _ => false,
        }
    }

    async fn run(&self, call: &Call) -> Result<Outcome, JobError> {
        let key = self.reviewers.deliver(Self::NAME, call).await?;
        Ok(Outcome::done("delivery", key).into())
    }
}
