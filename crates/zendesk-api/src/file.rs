//! Recordings as files, for a comment to have. (Zendesk's documentation, "Attachments".)

use engine::{
    recording::{Missing, Recording},
    vendor::ClientError,
};
use reqwest::{Method, header::CONTENT_TYPE};
use serde::Deserialize;

use crate::{
    api::Api,
    error::{decode, success},
};

/// The most bytes of a file: "50 MB". (Zendesk's documentation, "Adding ticket attachments with the API".)
pub const LARGEST_FILE: u64 = 50_000_000;

#[derive(Deserialize)]
struct Uploaded {
    upload: Upload,
}

#[derive(Deserialize)]
struct Upload {
    token: String,
}

impl Api {
    /// Sends a recording as it comes, and returns the token under which a comment has it; without one, Zendesk deletes it
    /// within the hour.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached; within, the recording did not come whole.
    pub async fn upload(
        &self,
        name: &str,
        recording: Recording,
    ) -> Result<Result<String, Missing>, ClientError> {
        let audio = recording.audio;
        let mut url = self.url(&["uploads"]);
        url.query_pairs_mut().append_pair("filename", &format!("{name}.{}", audio.extension()));
        let deadline = recording.deadline();
        let (body, watch) = recording.into_body();
        let request = self.request(Method::POST, url).header(CONTENT_TYPE, audio.media_type());
        let answer = self.send(request.timeout(deadline).body(body)).await;
        if let Some(missing) = watch.fault() {
            return Ok(Err(missing));
        }
        let answer = answer?;
        self.vendor.heed(&answer);
        let Uploaded { upload } = decode(&success(answer)?)?;
        Ok(Ok(upload.token))
    }
}
