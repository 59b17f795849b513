//! How much memory the events in hand may take together, whoever sends them: what finds none waits, and is then told to
//! come again.
//!
//! A body takes its length while it arrives. Then it is read, and JSON can grow a lot by that: `{"":0},` is seven bytes
//! on the way and some seven hundred in memory.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::fields::LARGEST_TREE;

/// Bodies that arrive at a time, in bytes: 256 of the largest by default, or ten thousand usual ones.
const BODIES: usize = 16 * 1024 * 1024;

/// Events that are read and wait for their commit, in bytes as [`weight`] guesses them.
const EVENTS: usize = 64 * 1024 * 1024;

/// The memory that is left for them.
pub(super) struct MemoryBudget {
    bodies: Arc<Semaphore>,
    events: Arc<Semaphore>,
}

/// A part of it, given back when it is dropped.
#[derive(Debug)]
pub struct Reserved {
    _permit: OwnedSemaphorePermit,
}

impl MemoryBudget {
    /// The largest body fits in any case.
    pub(super) fn new(max_body: usize) -> Self {
        let of = |bytes: usize| Arc::new(Semaphore::new(bytes.min(u32::MAX as usize)));
        Self { bodies: of(BODIES.max(max_body)), events: of(EVENTS) }
    }

    /// Memory for a body of this length, if there is some before the deadline.
    pub(super) async fn for_body(&self, length: usize, deadline: Instant) -> Option<Reserved> {
        take(&self.bodies, length, BODIES.max(length), deadline).await
    }

    /// Memory for what a body becomes.
    pub(super) async fn for_event(&self, body: &[u8], deadline: Instant) -> Option<Reserved> {
        // One that is guessed to take more than there is has all for itself.
        take(&self.events, weight(body), EVENTS, deadline).await
    }
}

async fn take(memory: &Arc<Semaphore>, bytes: usize, most: usize, deadline: Instant) -> Option<Reserved> {
    let bytes = u32::try_from(bytes.min(most)).unwrap_or(u32::MAX);
    let permit = timeout_at(deadline, Arc::clone(memory).acquire_many_owned(bytes)).await.ok()?;
    Some(Reserved { _permit: permit.expect("it is never closed") })
}

/// About what an event takes: its texts on their way from the body to Postgres, and what is kept as it comes, where an object
/// takes some 640 bytes (a node of its map) and anything else some 144 (a key, a value, and air).
fn weight(body: &[u8]) -> usize {
    let nodes = |byte: &u8| match byte {
        b'{' => 640,
        b'[' | b',' => 144,
        _ => 0,
    };
    // No more than the largest tree, or fields of the shortest names.
    let most = (100 * LARGEST_TREE).max(16 * body.len());
    4 * body.len() + body.iter().map(nodes).sum::<usize>().min(most)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    #[tokio::test]
    async fn what_finds_no_memory_waits_for_it_until_its_deadline() {
        let memory = MemoryBudget::new(1000);
        let most = vec![b'{'; EVENTS];
        let all = memory.for_event(&most, soon()).await.expect("one too large has all for itself");
        assert!(memory.for_event(b"{}", soon()).await.is_none());
        drop(all);
        assert!(memory.for_event(b"{}", soon()).await.is_some());

        let halves = [memory.for_body(BODIES / 2, soon()).await, memory.for_body(BODIES / 2, soon()).await];
        assert!(halves.iter().all(Option::is_some) && memory.for_body(1, soon()).await.is_none());
        drop(halves);
        assert!(memory.for_body(BODIES, soon()).await.is_some());
    }

    #[tokio::test]
    async fn a_body_of_the_largest_size_that_is_set_finds_room() {
        assert!(MemoryBudget::new(3 * BODIES).for_body(3 * BODIES, soon()).await.is_some());
    }
}
