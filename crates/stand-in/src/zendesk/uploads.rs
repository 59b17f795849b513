//! Files that are sent before the comment that they belong to (attachments reference).

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use hyper::body::Body as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Zendesk;
use super::attributes::check_query;
use super::refusal;
use crate::lock;
use crate::random::random;
use crate::refusal::Refusal;
use crate::schema::Schema;

static QUERY: Schema = Schema::new(include_str!("schemas/requests.json"), "upload");

/// The most bytes of a file (attachments guide: "50 MB").
const LARGEST: u64 = 50 * 1000 * 1000;

/// Types and the ends of names that go with them: "their file extensions must be the same", and the type must be "a
/// recognized MIME type that correctly describes" the file, or an agent can't play it (attachments reference). Others are
/// not looked at.
const AUDIO: [(&str, &str); 6] = [
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
    ("audio/ogg", "ogg"),
    ("audio/mp4", "m4a"),
    ("audio/flac", "flac"),
    ("audio/webm", "webm"),
];

/// A file of a comment.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attachment {
    /// The vendor's id.
    pub id: u64,
    /// Its name.
    pub file_name: String,
    /// Its media type, as it was sent.
    pub content_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hex, which are not kept; no field of the vendor's.
    pub sha256: String,
}

impl Attachment {
    pub(super) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "file_name": self.file_name,
            "content_type": self.content_type,
            "size": self.size,
            "content_url": format!("https://stand-in.zendesk.com/attachments/token/{}", self.id),
            "thumbnails": [],
            "inline": false,
            "deleted": false,
            "malware_scan_result": "not_scanned",
        })
    }
}

/// Files that no comment has yet, by their tokens. After a restart they are gone.
#[derive(Default)]
pub(super) struct Uploads(Mutex<HashMap<String, (Instant, Attachment)>>);

impl Uploads {
    fn keep(&self, attachment: Attachment, lifetime: Duration) -> String {
        let token = format!("{:016x}{:016x}", random(), random());
        let now = Instant::now();
        let mut kept = lock(&self.0);
        kept.retain(|_, (expires, _)| *expires > now);
        kept.insert(token.clone(), (now + lifetime, attachment));
        token
    }

    /// The files of these tokens. How an unknown one is answered is not documented.
    pub(super) fn of(&self, tokens: &[String]) -> Result<Vec<Attachment>, Refusal> {
        let kept = lock(&self.0);
        let known = |token: &String| kept.get(token).filter(|(expires, _)| *expires > Instant::now());
        let files = tokens.iter().map(|token| known(token).map(|(_, attachment)| attachment.clone()));
        files.collect::<Option<_>>().ok_or_else(|| {
            refusal::invalid("base", "Upload: the token is not known, was used, or has expired")
        })
    }

    /// A comment has these now.
    pub(super) fn used(&self, tokens: &[String]) {
        let mut kept = lock(&self.0);
        for token in tokens {
            kept.remove(token);
        }
    }
}

/// `POST /api/v2/uploads?filename=`; of its bytes nothing is kept but their digest.
pub(super) async fn upload(
    State(zendesk): State<Zendesk>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let invalid = |what: &str| refusal::invalid("base", &format!("Attachment: {what}"));
    check_query(&query, &QUERY)?;
    let file_name = query["filename"].clone();
    let content_type = headers.get(CONTENT_TYPE).and_then(|is| is.to_str().ok()).unwrap_or_default();
    let ending = file_name.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
    if !content_type.contains('/') {
        return Err(invalid("the file has no type"));
    }
    let goes_with = |audio: &&(&str, &str)| audio.0 == content_type || audio.1 == ending;
    if AUDIO.iter().find(goes_with).is_some_and(|audio| *audio != (content_type, ending)) {
        return Err(invalid("its type and the end of its name differ"));
    }
    let (size, sha256) = digest(body).await?;
    if size == 0 {
        return Err(invalid("the file is empty"));
    }
    let id = random() >> 12;
    let attachment = Attachment { id, file_name, content_type: content_type.to_owned(), size, sha256 };
    let shown = attachment.shown();
    let token = zendesk.uploads.keep(attachment, zendesk.options.upload_lifetime);
    let upload = json!({ "token": token, "attachment": shown, "attachments": [shown] });
    Ok((StatusCode::CREATED, Json(json!({ "upload": upload }))))
}

/// The length and the digest of a body, which may be longer than memory.
async fn digest(mut body: Body) -> Result<(u64, String), Refusal> {
    let (mut size, mut digest) = (0, Sha256::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| refusal::unreadable())?;
        if let Some(data) = frame.data_ref() {
            size += data.len() as u64;
            digest.update(data);
        }
        if size > LARGEST {
            return Err(refusal::too_large());
        }
    }
    Ok((size, hex::encode(digest.finalize())))
}
