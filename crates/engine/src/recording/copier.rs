//! What jobs have in common that copy recordings to a vendor.

use std::time::Duration;

use super::{fetch::Fetcher, missing::Missing};
use crate::{call::Call, job::JobError, vendor::ClientError};

/// Copies recordings, where that is asked for.
pub struct Copier {
    fetcher: Option<Fetcher>,
    /// How long after its delivery a call's recording may take to appear.
    pub wait: Duration,
}

impl Copier {
    /// A copier that fetches so, or one that copies nothing.
    #[must_use]
    pub fn new(fetcher: Option<Fetcher>, wait: Duration) -> Self {
        Self { fetcher, wait }
    }

    /// Where the call's recording is that is to be copied, and who fetches it.
    pub fn source<'a>(&'a self, call: &'a Call) -> Option<(&'a Fetcher, &'a str)> {
        self.fetcher.as_ref().zip(call.recording())
    }

    /// A receipt's note, to which is added what is missing for good.
    ///
    /// # Errors
    ///
    /// Something may still come: how the job comes back for it.
    pub fn note(
        &self,
        call: &Call,
        note: Option<String>,
        missing: &[Missing],
    ) -> Result<Option<String>, JobError> {
        if let Some(again) = missing.iter().find_map(|missing| missing.again(call, self.wait)) {
            return Err(again);
        }
        let left = missing.first().map(|missing| format!("of the recording {}", missing.leaves_link()));
        Ok([note, left].into_iter().flatten().reduce(|note, left| format!("{note}; {left}")))
    }

    /// What a vendor's error about a file means: one that it will never take is a person's to look at.
    #[must_use]
    pub fn refused(error: ClientError) -> JobError {
        match error {
            ClientError::Stop(reason) => JobError::GiveUp(format!("the recording's file: {reason}")),
            error => error.into(),
        }
    }
}
