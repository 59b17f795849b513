//! 5. What happens to a call: the list of all jobs. ★ Edit the list; copy a job to make your own.
//!
//! A [`Job`](crate::job::Job) is one file here and one line in [`ALL`]. Retry with backoff, the time limit, giving up,
//! receipts and logging come with it: [`work`](crate::work). Next on the way: [`update_crm`], and the
//! [`clients`](crate::clients) that it calls.

pub mod attach_recording;
pub mod report_call;
pub mod review_call;
pub mod update_crm;

use crate::job::JobKind;

/// Every job that there is; `JOBS` says which of them a deployment runs.
pub const ALL: &[JobKind] = &[
    JobKind::of::<update_crm::UpdateCrm>(),
    JobKind::of::<attach_recording::AttachRecording>(),
    JobKind::of::<review_call::ReviewCall>(),
    JobKind::of::<report_call::ReportCall>(),
];
