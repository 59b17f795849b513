//! What was given up, by its cause: as the pages show it, and as their forms name it.

use crate::work::tasks::given_up::{Alike, Group};

impl Group {
    /// As a form names it: in hex, since a page shows in another way what misleads in a text.
    pub(super) fn key(&self) -> String {
        let Self { job, destination, kind, cause, .. } = self;
        hex::encode(
            serde_json::json!([job, { "destination": destination, "kind": kind, "cause": cause }])
                .to_string(),
        )
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> &'static str {
        match self.kind.as_deref() {
            Some("refused") => {
                "The vendor refuses what is sent. Mend it there, or in the job; then run them anew."
            }
            Some("down" | "busy" | "not yet") => {
                "The vendor could not do it for as long as it was tried. Run them anew once it can."
            }
            Some("died") => {
                "The process died in the middle of it, several times. Look in its log for a panic, and at its memory."
            }
            Some("failed") => "The job itself failed. The log says more; mend it, and run them anew.",
            _ => "It never began. The queue says why.",
        }
    }
}

/// The job and the cause that a form names.
pub(super) fn named(key: &str) -> Option<(String, Alike)> {
    let (job, alike): (String, Alike) = serde_json::from_slice(&hex::decode(key).ok()?).ok()?;
    let texts = [Some(&job), Some(&alike.cause), alike.destination.as_ref(), alike.kind.as_ref()];
    // No text in Postgres holds a NUL: to ask for one is an error.
    let writable = texts.into_iter().flatten().all(|text| !text.contains('\0'));
    writable.then_some((job, alike))
}
