//! A recording as a file, to which the call's recording URL leads.

use serde_json::json;

use engine::{
    call::Call,
    recording::{self, Missing, Recording},
    vendor::ClientError,
};

use super::{HubSpot, setup::CALL_ID};

/// The property that holds where a call's recording is.
pub(super) const RECORDING: &str = "hs_call_recording_url";

impl HubSpot {
    /// The URL of this recording's file, where the call has it. It ends with the recording's key, behind a `#`, since no other
    /// part of it says whose file it is; browsers don't send that.
    pub(super) async fn copy_of(&self, call: &Call) -> Result<Option<String>, ClientError> {
        let Some(key) = key(call).filter(|_| self.copies) else { return Ok(None) };
        let held = self.api.value("calls", (CALL_ID, &call.call_id), RECORDING).await?;
        Ok(held.filter(|url| url.rsplit_once('#').is_some_and(|(_, end)| end == key)))
    }

    /// Sends the call's recording as it comes, and puts its file in the place of its link; within, why it did not come whole.
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached.
    pub async fn take_recording(
        &self,
        call: &Call,
        recording: Recording,
    ) -> Result<Result<(), Missing>, ClientError> {
        let key = key(call).unwrap_or_default();
        let url = match self.api.upload("/aftercall", &format!("recording-{key}"), recording).await? {
            Ok(url) => url,
            Err(missing) => return Ok(Err(missing)),
        };
        let copied = json!({ RECORDING: format!("{url}#{key}") });
        self.api.upsert("calls", (CALL_ID, &call.call_id), &copied).await?;
        Ok(Ok(()))
    }
}

fn key(call: &Call) -> Option<String> {
    Some(recording::key(&call.call_id, &call.recording()?.parse().ok()?))
}
