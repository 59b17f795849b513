//! What a person lets run, from the page of a call.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    Console,
    change::Change,
    page::{Broken, Nothing, message},
};
use crate::{
    telemetry::Safe,
    work::tasks::again::{run_again as again, run_missing as missing},
};

/// `POST /calls/{event_id}/run`: what is not done of its jobs runs now.
pub(super) async fn run_missing(
    State(console): State<Console>,
    Path(event_id): Path<String>,
    change: Change,
) -> Result<Response, Broken> {
    if event_id.contains('\0') {
        return Ok(Nothing.into_response());
    }
    for job in missing(&console.writer, &event_id).await? {
        tracing::info!(client = %change.client, job, event_id = %Safe(&event_id), "somebody lets a job run now");
    }
    Ok(back_to(&event_id))
}

/// `POST /calls/{event_id}/again` with `job`: it runs once more, though it is done.
pub(super) async fn run_again(
    State(console): State<Console>,
    Path(event_id): Path<String>,
    change: Change,
) -> Result<Response, Broken> {
    let Some(job) = change.field("job").filter(|job| !job.contains('\0') && !event_id.contains('\0')) else {
        return Ok(Nothing.into_response());
    };
    if !again(&console.writer, &event_id, job).await? {
        let why = "This job has not ended, or the call's data was deleted. Nothing was changed.";
        return Ok(message(StatusCode::CONFLICT, "Not again", why));
    }
    tracing::info!(client = %change.client, job, event_id = %Safe(&event_id), "somebody lets a job run again");
    Ok(back_to(&event_id))
}

fn back_to(event_id: &str) -> Response {
    let event_id = askama::filters::urlencode_strict(event_id).map(|written| written.to_string());
    event_id
        .map_or_else(|_| Redirect::to("/calls"), |id| Redirect::to(&format!("/calls/{id}")))
        .into_response()
}
