//! What a delivery goes through: admitted, read, stored, answered.

pub mod after_call;
mod sample;

use axum::{
    Router,
    extract::{Request, State},
    routing::post,
};
use engine::{
    answer::{Accepted, Refused, Rejection},
    receiver::Receiver,
};

/// The routes of the webhook's listener. ★ Another way to deliver: another handler.
pub fn routes(receiver: Receiver) -> Router {
    let webhook = post(after_call).fallback(async || Rejection::NotPost);
    let paths = receiver.paths();
    let router = paths.iter().fold(Router::new(), |router, path| router.route(path, webhook.clone()));
    router.with_state(receiver)
}

/// `POST /webhooks/after-call`. 200 means stored: it is answered after the commit that holds the event and its jobs.
async fn after_call(State(receiver): State<Receiver>, request: Request) -> Result<Accepted, Refused> {
    // Its address, its credential, its size, its signature.
    let verified = receiver.guard.admit(request).await?;
    // This platform's bytes to a call.
    let call = verified.read(&after_call::PLATFORM)?;
    // The event and its jobs, once, in one transaction.
    receiver.inbox.store(verified, call).await
}
