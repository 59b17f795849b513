//! Recordings as files. (HubSpot's documentation, "Files": a private one opens for users who are logged in.)

use engine::{
    recording::{Missing, Recording},
    vendor::ClientError,
};
use reqwest::{Method, multipart::Form, multipart::Part};
use serde_json::Value;

use crate::api::Api;

/// The most bytes of a file. HubSpot's own limit depends on the account; so much comes within a run of the job.
pub const LARGEST_FILE: u64 = 50_000_000;

/// A recording is for the account's users alone, and one that is sent again leaves one file.
const OPTIONS: &str = r#"{"access":"PRIVATE","overwrite":false,"duplicateValidationStrategy":"RETURN_EXISTING","duplicateValidationScope":"EXACT_FOLDER"}"#;

impl Api {
    /// Sends a recording as it comes, and returns its file's URL; within, why it did not come whole.
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached.
    ///
    /// # Panics
    ///
    /// Where the recording's media type is none.
    pub async fn upload(
        &self,
        folder: &'static str,
        name: &str,
        recording: Recording,
    ) -> Result<Result<String, Missing>, ClientError> {
        let audio = recording.audio;
        let name = format!("{name}.{}", audio.extension());
        let deadline = recording.deadline();
        let length = recording.length();
        let (body, watch) = recording.into_body();
        let file = match length {
            Some(length) => Part::stream_with_length(body, length),
            None => Part::stream(body),
        };
        let file = file.file_name(name.clone()).mime_str(audio.media_type()).expect("it is a media type");
        let form = Form::new().text("fileName", name).text("folderPath", folder).text("options", OPTIONS);
        let request = self.at(Method::POST, &["files"], &["files"]).timeout(deadline);
        let answer = self.ask(request.multipart(form.part("file", file))).await;
        if let Some(missing) = watch.fault() {
            return Ok(Err(missing));
        }
        let file: Value = answer?.json().unwrap_or_default();
        let url = file["url"].as_str().map(str::to_owned);
        url.map(Ok).ok_or_else(|| ClientError::retry("HubSpot answered without the file"))
    }
}
