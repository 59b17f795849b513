//! Files: their upload.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::HubSpot;
use super::account::iso;
use super::refusal;
use crate::refusal::Refusal;
use crate::schema::Schema;

static FORM: Schema = Schema::new(include_str!("schemas/files.json"), "form");
static OPTIONS: Schema = Schema::new(include_str!("schemas/files.json"), "options");

/// A file of the files tool.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct File {
    /// The vendor's id.
    pub id: String,
    /// Its folder's path.
    pub folder: String,
    /// Its name, with what says its type.
    pub name: String,
    /// Its media type, as it was sent; no field of the vendor's.
    pub content_type: String,
    /// Who may read it.
    pub access: String,
    /// Where people find it.
    pub url: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hex, which are not kept; no field of the vendor's.
    pub sha256: String,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
}

impl File {
    /// A private one is asked for at an address which leads those on who are logged in (observed).
    pub(super) fn new(id: &str, upload: Upload, folder: &str, name: &str) -> Self {
        let Upload { content_type, size, sha256 } = upload;
        let api = "https://api-na1.hubspot.com/filemanager/api/v2/files";
        let url = format!("{api}/{id}/signed-url-redirect?portalId=1");
        let (id, folder, name, access) = (id.into(), folder.into(), name.into(), "PRIVATE".into());
        Self { id, folder, name, content_type, access, url, size, sha256, created_at: Utc::now() }
    }

    /// The published description's `File`.
    fn shown(&self) -> Value {
        let (stem, extension) = self.name.rsplit_once('.').unwrap_or((&self.name, ""));
        let created = iso(self.created_at);
        json!({
            "id": self.id, "name": stem, "extension": extension, "path": format!("{}/{}", self.folder, self.name),
            "access": self.access, "size": self.size, "url": self.url, "defaultHostingUrl": self.url,
            "createdAt": created, "updatedAt": created, "archived": false,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    file_name: String,
    folder_path: String,
    options: String,
}

/// The file of a form.
pub(super) struct Upload {
    content_type: String,
    size: u64,
    pub(super) sha256: String,
}

/// `POST /files/{version}/files`, a form with `file`, `options`, `fileName`, and a folder (files guide).
pub(super) async fn upload(
    State(hubspot): State<HubSpot>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let form = form.map_err(|error| refusal::validation(&error.body_text()))?;
    let (fields, upload) = read(form).await.map_err(|error| refusal::validation(&error.body_text()))?;
    // After the whole form: an answer before its end would be lost with the connection.
    if hubspot.without_files {
        return Err(refusal::missing_scope("files"));
    }
    let Fields { file_name, folder_path, options } = refusal::checked(&FORM, json!(fields))?;
    refusal::json::<Value>(&OPTIONS, options.as_bytes())?;
    let upload =
        upload.filter(|file| file.size > 0).ok_or_else(|| refusal::validation("file is required"))?;
    let file = hubspot
        .account
        .change(|account| Ok::<_, Refusal>(account.add_file(upload, &folder_path, &file_name).shown()))?;
    Ok((StatusCode::CREATED, Json(file)))
}

/// The fields of a form, and its file, of whose bytes nothing is kept but their digest.
async fn read(mut form: Multipart) -> Result<(BTreeMap<String, String>, Option<Upload>), MultipartError> {
    let (mut fields, mut file) = (BTreeMap::new(), None);
    while let Some(mut field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" || field.file_name().is_none() {
            fields.insert(name, field.text().await?);
            continue;
        }
        let content_type = field.content_type().unwrap_or_default().to_owned();
        let (mut size, mut digest) = (0, Sha256::new());
        while let Some(piece) = field.chunk().await? {
            size += piece.len() as u64;
            digest.update(piece);
        }
        file = Some(Upload { content_type, size, sha256: hex::encode(digest.finalize()) });
    }
    Ok((fields, file))
}
