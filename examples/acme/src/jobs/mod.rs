//! What happens to a call.

pub mod log_call;
pub mod note_ticket;
pub mod page_manager;
pub mod report_call;

use engine::job::{Listed, off, on};

use crate::settings::Settings;

/// Every job that there is.
pub const ALL: &[Listed<Settings>] = &[
    on::<log_call::LogCall>(),
    on::<note_ticket::NoteTicket>(),
    off::<page_manager::PageManager>(),
    off::<report_call::ReportCall>(),
];
