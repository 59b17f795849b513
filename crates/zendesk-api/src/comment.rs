//! The comments of a ticket. (Zendesk's documentation, "Ticket comments".)

use engine::vendor::ClientError;
use reqwest::{Method, Url};
use serde::Deserialize;

use crate::{api::Api, error::decode};

/// A comment, as far as it is read.
#[derive(Deserialize)]
pub struct Comment {
    /// Its text; that of a voice comment is Zendesk's own.
    #[serde(default)]
    pub body: String,
    /// Whether the ticket's requester sees it.
    #[serde(default)]
    pub public: bool,
    /// How it came about.
    pub via: Option<Via>,
    /// What a voice comment holds.
    pub data: Option<VoiceData>,
    /// Its files.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// How a comment came about.
#[derive(Deserialize)]
pub struct Via {
    /// `api`, `web`, `email` and others.
    #[serde(default)]
    pub channel: String,
}

/// What a voice comment holds.
#[derive(Deserialize)]
pub struct VoiceData {
    /// Where the recording is.
    pub recording_url: Option<String>,
    /// What was said in it.
    pub transcription_text: Option<String>,
}

/// A file of a comment.
#[derive(Deserialize)]
pub struct Attachment {
    /// Its name.
    #[serde(default)]
    pub file_name: String,
}

#[derive(Deserialize)]
struct Comments {
    #[serde(rename = "comments")]
    page: Vec<Comment>,
    links: Option<Links>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Links {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    has_more: bool,
}

impl Comments {
    /// The next page, where there is one.
    fn next(self) -> Option<Url> {
        self.meta.filter(|meta| meta.has_more).and(self.links)?.next?.parse().ok()
    }
}

impl Api {
    /// Whether a comment of the ticket is one that is sought.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn has_comment(
        &self,
        ticket: u64,
        is_sought: impl Fn(&Comment) -> bool,
    ) -> Result<bool, ClientError> {
        let mut first = self.url(&["tickets", &ticket.to_string(), "comments"]);
        first.query_pairs_mut().append_pair("page[size]", "100");
        let mut next = Some(first);
        while let Some(page) = next {
            let comments: Comments = decode(&self.ask(self.request(Method::GET, page)).await?)?;
            if comments.page.iter().any(&is_sought) {
                return Ok(true);
            }
            // A link to elsewhere would carry our token there.
            next = comments.next().filter(|next| next.origin() == self.base_url.origin());
        }
        Ok(false)
    }
}
