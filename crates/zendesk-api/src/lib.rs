//! Zendesk's API, as far as tickets of calls need it: tickets and their comments, users, files.
//!
//! It knows no call: what is written on a ticket, and how that is found again, is the program's to say. The rules are those of
//! Zendesk's documentation of the tickets, comments, attachments, users and OAuth APIs.

mod api;
mod comment;
mod error;
mod file;
mod settings;
mod ticket;
mod token;
mod user;

pub use api::Api;
pub use comment::{Attachment, Comment, Via, VoiceData};
pub use file::LARGEST_FILE;
pub use settings::Settings;
pub use ticket::Ticket;
pub use user::{NewUser, User};
