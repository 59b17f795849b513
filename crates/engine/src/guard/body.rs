//! Reads a request's body: within its size, within its time, and only where there is memory for it.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};

use super::{
    PATIENCE,
    memory::{MemoryBudget, Reserved},
};
use crate::answer::Rejection;

/// How long a body may take to arrive; the platform itself gives up after 5 s. (Documentation, "Timeout".)
const DEADLINE: Duration = Duration::from_secs(5);

/// The whole body, and the memory that it takes.
pub(super) async fn read(
    body: Body,
    max_body: usize,
    memory: &MemoryBudget,
) -> Result<(Bytes, Reserved), Rejection> {
    let length = body.size_hint();
    if length.lower() > max_body as u64 {
        return Err(Rejection::TooLarge { limit: max_body });
    }
    // A chunked one doesn't say how long it will be.
    let most = length.upper().and_then(|length| usize::try_from(length).ok()).unwrap_or(max_body);
    let taken = memory.for_body(most, Instant::now() + PATIENCE).await.ok_or(Rejection::NoMemory)?;
    let read = timeout(DEADLINE, copy(body, most, max_body)).await.unwrap_or(Err(Rejection::Slow))?;
    Ok((read, taken))
}

/// Copied out of the connection's buffers: a part of one would keep the whole of it, many times the body's own size when
/// it comes in chunks of a byte.
async fn copy(mut body: Body, most: usize, max_body: usize) -> Result<Bytes, Rejection> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Rejection::BrokenBody)?.into_data() else { continue };
        if data.len() > max_body - read.len() {
            return Err(Rejection::TooLarge { limit: max_body });
        }
        if read.is_empty() {
            read.reserve_exact(most.min(max_body));
        }
        read.extend_from_slice(&data);
    }
    read.shrink_to_fit();
    Ok(read.into())
}
