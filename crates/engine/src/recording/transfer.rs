//! A recording's bytes on their way from its host to a vendor: never whole in our memory.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use reqwest::Body;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{audio::Audio, missing::Missing};

/// How long a vendor may take to answer once it has all.
const ANSWER: Duration = Duration::from_secs(1);

/// A recording that is there, and has begun to come.
pub struct Recording {
    /// What it is.
    pub audio: Audio,
    transfer: Transfer,
    latest: Instant,
}

/// What kept a recording from coming whole, if something did.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Option<Missing>>>);

impl Recording {
    /// Of what has been read to see what it is, and what is to come; no more than `largest` bytes, and none after `latest`.
    pub(super) fn new(audio: Audio, head: Bytes, rest: Body, largest: u64, latest: Instant) -> Self {
        let left = largest.saturating_sub(head.len() as u64);
        let late = Box::pin(sleep_until(latest));
        let transfer = Transfer { head: Some(head), rest, left, largest, late, watch: Watch::default() };
        Self { audio, transfer, latest }
    }

    /// For how long it may come still, and a second for the vendor's answer: within the run of the job, so that a vendor that
    /// takes no end is the one in trouble, and not the job.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.latest.saturating_duration_since(Instant::now()) + ANSWER
    }

    /// Its length in bytes, where its host says it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.transfer.size_hint().exact()
    }

    /// The body of a request, which ends with an error where the recording doesn't come whole. The request then fails, and
    /// the watch says that it was not by the vendor's fault.
    #[must_use]
    pub fn into_body(self) -> (Body, Watch) {
        let watch = self.transfer.watch.clone();
        (Body::wrap(self.transfer), watch)
    }
}

impl Watch {
    /// What happened to the recording.
    #[must_use]
    pub fn fault(&self) -> Option<Missing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn met(&self, missing: Missing) -> Missing {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(missing).clone()
    }
}

struct Transfer {
    head: Option<Bytes>,
    rest: Body,
    /// So many bytes may still come.
    left: u64,
    largest: u64,
    late: Pin<Box<Sleep>>,
    watch: Watch,
}

impl HttpBody for Transfer {
    type Data = Bytes;
    type Error = Missing;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Missing>>> {
        let this = self.get_mut();
        if let Some(head) = this.head.take() {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        let fault = |missing| Poll::Ready(Some(Err(this.watch.met(missing))));
        if this.late.as_mut().poll(context).is_ready() {
            return fault(Missing::Later("it comes too slowly for a run of the job (JOB_TIMEOUT)"));
        }
        match ready!(Pin::new(&mut this.rest).poll_frame(context)) {
            None => Poll::Ready(None),
            Some(Err(_)) => fault(Missing::Later("it broke off in the middle")),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                match this.left.checked_sub(length) {
                    None => fault(Missing::TooLarge(this.largest)),
                    Some(left) => {
                        this.left = left;
                        Poll::Ready(Some(Ok(frame)))
                    }
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let head = self.head.as_ref().map_or(0, Bytes::len) as u64;
        self.rest.size_hint().exact().map_or_else(SizeHint::default, |rest| SizeHint::with_exact(head + rest))
    }
}
