//! What a delivery goes through. Aircall's token stands in the body, so the guard is told where.

pub mod aircall;

use axum::{
    Router,
    extract::{Request, State},
    routing::post,
};
use engine::{
    answer::{Accepted, Refused, Rejection},
    receiver::Receiver,
};

/// The routes of the webhook's listener.
pub fn routes(receiver: Receiver) -> Router {
    let webhook = post(aircall).fallback(async || Rejection::NotPost);
    let paths = receiver.paths();
    paths.iter().fold(Router::new(), |router, path| router.route(path, webhook.clone())).with_state(receiver)
}

async fn aircall(State(receiver): State<Receiver>, request: Request) -> Result<Accepted, Refused> {
    let verified = receiver.guard.admit_by(request, aircall::token).await?;
    let call = verified.read(&aircall::PLATFORM)?;
    receiver.inbox.store(verified, call).await
}
