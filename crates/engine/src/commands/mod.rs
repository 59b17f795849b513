//! What the program does besides receiving and working, one command a file.
//!
//! - [`send`]: sends a call to a receiver, as the platform would
//! - [`init`]: writes a `.env` with fresh secrets, and says what to paste into the platform's form
//! - [`doctor`]: looks at everything that a deployment needs, and says what to do where something is wrong
//! - [`retry`]: runs jobs anew that were given up
//! - [`calls`]: what came in, and what became of it
//! - [`jobs`]: jobs that are not done, and what a person does about those that were given up
//! - [`erase`]: deletes the data of every call with a number
//! - [`platform`]: the webhook at the platform itself, and the rotation of its secret
//! - [`setup`]: makes what the vendors must have once
//! - [`config`]: shows the settings in force and where each came from
//!
//! A command's text goes to standard output; no secret is in it, save those that `init` has just made.

pub mod calls;
pub mod config;
pub mod doctor;
pub mod erase;
pub mod init;
pub mod jobs;
pub mod platform;
pub mod retry;
pub mod send;
pub mod setup;
mod values;
