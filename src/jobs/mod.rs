//! What happens to a call: the list of all jobs. ★ Edit the list; copy a job to make your own.
//!
//! A [`Job`](engine::job::Job) is one file here and one line in [`ALL`]. Retry with backoff, the time limit, giving up,
//! receipts and logging come with it: [`work`](engine::work). Next on the way: [`update_crm`], and the
//! [`clients`](crate::clients) that it calls.

pub mod attach_recording;
pub mod follow_up;
pub mod report_call;
pub mod review_call;
pub mod update_crm;

use engine::job::{Listed, off, on};

use crate::settings::Settings;

/// Every job that there is. Those that are off run where `JOBS` names them.
pub const ALL: &[Listed<Settings>] = &[
    on::<update_crm::UpdateCrm>(),
    on::<attach_recording::AttachRecording>(),
    off::<follow_up::FollowUp>(),
    off::<review_call::ReviewCall>(),
    off::<report_call::ReportCall>(),
];
