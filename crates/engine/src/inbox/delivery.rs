//! What is handed to the writer, and what it says of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::body::Bytes;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    answer::{StoreError, Stored},
    call::Call,
    guard::memory::Reserved,
    trace::TraceId,
};

/// What is stored of one request.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The event, typed.
    pub(super) event: Call,
    /// The headers, without credentials, as `[[name, value], ..]`.
    pub(super) headers: Value,
    /// The trace that it is part of.
    pub(super) trace_id: Option<TraceId>,
    /// The body as it came.
    pub(super) body: Bytes,
    /// The memory that all this may take, given back when it is written or dropped.
    pub(super) _memory: Reserved,
}

pub(super) type Reply = Result<Stored, StoreError>;

pub(super) struct Entry {
    pub(super) delivery: Delivery,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// Whether events can be stored, as far as the writer knows: it has met no trouble, or it is over.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    in_trouble: Arc<AtomicBool>,
}

impl Condition {
    /// Whether the last transaction failed, or is over its time.
    #[must_use]
    pub fn is_in_trouble(&self) -> bool {
        self.in_trouble.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, in_trouble: bool) {
        self.in_trouble.store(in_trouble, Ordering::Relaxed);
    }
}
