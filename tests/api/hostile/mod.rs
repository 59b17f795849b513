//! What nobody in their right mind sends: each gets an answer that is no 5xx, and a call that can be stored is stored.

mod any_event;
mod bodies;
mod credentials;
mod framing;
mod load;
mod log;
