//! A recording as a file, to which the call's recording URL leads. (HubSpot's documentation, "Files": a private one opens for
//! users who are logged in.)

use reqwest::{Method, StatusCode, multipart::Form, multipart::Part};
use serde_json::{Value, json};

use super::api::{CALL_ID_PROPERTY, HubSpot, success};
use engine::{
    call::Call,
    recording::{self, Missing, Recording},
    vendor::ClientError,
};

/// The most bytes of a file. HubSpot's own limit depends on the account; so much comes within a run of the job.
pub const LARGEST_FILE: u64 = 50_000_000;

pub(super) const RECORDING_PROPERTY: &str = "hs_call_recording_url";

/// A recording is for the account's users alone, and one that is sent again leaves one file.
const OPTIONS: &str = r#"{"access":"PRIVATE","overwrite":false,"duplicateValidationStrategy":"RETURN_EXISTING","duplicateValidationScope":"EXACT_FOLDER"}"#;

impl HubSpot {
    /// The URL of this recording's file, where the call has it. It ends with the recording's key, behind a `#`, since no other
    /// part of it says whose file it is; browsers don't send that.
    pub(super) async fn copy_of(&self, call: &Call) -> Result<Option<String>, ClientError> {
        let Some(key) = key(call).filter(|_| self.copies) else { return Ok(None) };
        let query = [("idProperty", CALL_ID_PROPERTY), ("properties", RECORDING_PROPERTY)];
        let request = self.request(Method::GET, &["objects", "calls", &call.call_id]).query(&query);
        let answer = self.vendor.send(request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let held: Value = success(answer)?.json().unwrap_or_default();
        let url = held["properties"][RECORDING_PROPERTY].as_str().map(str::to_owned);
        Ok(url.filter(|url| url.rsplit_once('#').is_some_and(|(_, end)| end == key)))
    }

    /// Sends the call's recording as it comes, and puts its file in the place of its link; within, why it did not come whole.
    pub async fn take_recording(
        &self,
        call: &Call,
        recording: Recording,
    ) -> Result<Result<(), Missing>, ClientError> {
        let (key, audio) = (key(call).unwrap_or_default(), recording.audio);
        let name = format!("recording-{key}.{}", audio.extension());
        let deadline = recording.deadline();
        let length = recording.length();
        let (body, watch) = recording.into_body();
        let file = match length {
            Some(length) => Part::stream_with_length(body, length),
            None => Part::stream(body),
        };
        let file = file.file_name(name.clone()).mime_str(audio.media_type()).expect("it is a media type");
        let form =
            Form::new().text("fileName", name).text("folderPath", "/aftercall").text("options", OPTIONS);
        let request = self.at(Method::POST, &["files"], &["files"]).timeout(deadline);
        let answer = self.ask(request.multipart(form.part("file", file))).await;
        if let Some(missing) = watch.fault() {
            return Ok(Err(missing));
        }
        let file: Value = answer?.json().unwrap_or_default();
        let url =
            file["url"].as_str().ok_or_else(|| ClientError::retry("HubSpot answered without the file"))?;
        let copied = json!({ RECORDING_PROPERTY: format!("{url}#{key}") });
        self.upsert("calls", (CALL_ID_PROPERTY, &call.call_id), &copied).await?;
        Ok(Ok(()))
    }
}

fn key(call: &Call) -> Option<String> {
    Some(recording::key(&call.call_id, &call.recording()?.parse().ok()?))
}
