//! What a handler can reach, and what is told of each delivery.

pub mod outcomes;
pub mod refusals;

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use tracing::field::display;

use crate::{
    answer::{Accepted, Refused, Stored},
    config::WebhookConfig,
    guard::Guard,
    inbox::Inbox,
    metrics,
    tally::{Tally, What},
    telemetry::{Safe, millis},
    trace::TraceId,
};
use outcomes::Outcomes;
use refusals::Refusals;

/// What a handler can reach.
#[derive(Clone)]
pub struct Receiver {
    /// Says who may deliver.
    pub guard: Arc<Guard>,
    /// Makes events durable.
    pub inbox: Inbox,
    path: String,
    /// [`Platform::name`](crate::platform::Platform::name).
    platform: &'static str,
    /// Keeps the log short when many are refused.
    refusals: Arc<Refusals>,
    tally: Tally,
    /// Tells people when some are refused that were not before.
    outcomes: Arc<Outcomes>,
}

impl Receiver {
    pub(crate) fn new(
        config: &WebhookConfig,
        platform: &'static str,
        guard: Arc<Guard>,
        inbox: Inbox,
        outcomes: Arc<Outcomes>,
        tally: Tally,
    ) -> Self {
        metrics::platform(platform);
        let path = config.path.clone();
        Self { guard, inbox, path, platform, refusals: Arc::default(), tally, outcomes }
    }

    /// `WEBHOOK_PATH`, with and without a slash at its end: a platform's form is filled in by people.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let slashed = (self.path != "/").then(|| format!("{}/", self.path));
        std::iter::once(self.path.clone()).chain(slashed).collect()
    }

    fn count(&self, begun: Instant, status: StatusCode, result: &'static str) {
        metrics::delivery(self.platform, &self.path, begun, status, result);
        self.tally.count(What::Delivery, self.platform, result);
    }

    pub(crate) fn refusals(&self) -> Arc<Refusals> {
        Arc::clone(&self.refusals)
    }
}

/// Logs each delivery once it is answered, and counts it. As a layer it serves every handler that returns
/// `Result<Accepted, Refused>`.
pub async fn log(State(receiver): State<Receiver>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let trace_id = TraceId::of(request.headers()).map(display);
    let response = next.run(request).await;
    let ms = millis(begun);
    if let Some(Accepted { client, event_id, ending, stored }) = response.extensions().get() {
        receiver.outcomes.taken(*client);
        receiver.count(begun, StatusCode::OK, stored.word());
        if let (Stored::New, Some(ending)) = (stored, ending) {
            receiver.tally.count(What::Call, receiver.platform, ending);
        }
        let id = Safe(event_id);
        tracing::info!(target: "call", status = 200, %stored, event_id = %id, trace_id, ms, "<-- 200 {stored} {id} ({ms} ms)");
    } else if let Some(Refused { client, why }) = response.extensions().get() {
        receiver.outcomes.refused(*client, why);
        receiver.count(begun, why.status(), why.reason());
        if receiver.refusals.note(*client, why) {
            let (status, why) = (why.status().as_u16(), why.for_people());
            tracing::info!(target: "call", status, %client, trace_id, ms, "<-- {status} {why} ({client}, {ms} ms)");
        }
    }
    response
}
