//! What the program does besides receiving and working, one command a file.
//!
//! - [`send`]: sends a call to a receiver, as the platform would
//! - [`config`]: shows the settings in force and where each came from
//!
//! A command's text goes to standard output; no secret is in it.

pub mod config;
pub mod send;
