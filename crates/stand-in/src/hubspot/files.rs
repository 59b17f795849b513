//! Files: their upload.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::HubSpot;
use super::account::iso;
use super::form::{Form, Upload};
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
    pub(super) fn new(id: &str, upload: Upload, folder: &str, name: &str, access: &str) -> Self {
        let Upload { content_type, size, sha256 } = upload;
        let api = "https://api-na1.hubspot.com/filemanager/api/v2/files";
        let url = format!("{api}/{id}/signed-url-redirect?portalId=1");
        let (folder, name, access) = (folder.to_owned(), name.to_owned(), access.to_owned());
        Self {
            id: id.to_owned(),
            folder,
            name,
            content_type,
            access,
            url,
            size,
            sha256,
            created_at: Utc::now(),
        }
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

#[derive(Deserialize)]
struct Options {
    access: String,
}

/// `POST /files/{version}/files`, a form with `file`, `options`, `fileName`, and a folder (files guide).
pub(super) async fn upload(
    State(hubspot): State<HubSpot>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let form = Form::read(&headers, body).await.map_err(refusal::validation)?;
    // After the whole form: an answer before its end would be lost with the connection.
    if hubspot.without_files {
        return Err(refusal::missing_scope("files"));
    }
    let Form { fields, file } = form;
    let Fields { file_name, folder_path, options } = refusal::checked(&FORM, json!(fields))?;
    let Options { access } = refusal::json(&OPTIONS, options.as_bytes())?;
    let upload = file.filter(|file| file.size > 0).ok_or_else(|| refusal::validation("file is required"))?;
    let file = hubspot.account.change(|account| {
        Ok::<_, Refusal>(account.add_file(upload, &folder_path, &file_name, &access).shown())
    })?;
    Ok((StatusCode::CREATED, Json(file)))
}
