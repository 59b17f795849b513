//! Making and deleting records: what a person's script does, and no job.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::HubSpot;
use super::account::Values;
use super::properties::ObjectType;
use super::refusal;
use crate::refusal::Refusal;

#[derive(Deserialize)]
pub(super) struct New {
    properties: Values,
}

/// `POST /crm/objects/{version}/contacts`, with known properties alone.
pub(super) async fn create_contact(
    State(hubspot): State<HubSpot>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let New { properties } = refusal::json(&body)?;
    hubspot.account.change(|account| {
        let unknown = properties.keys().find(|name| account.property(ObjectType::Contacts, name).is_none());
        if let Some(unknown) = unknown {
            return Err(refusal::validation(&format!("Property \"{unknown}\" does not exist")));
        }
        let id = account.write(ObjectType::Contacts, None, properties).id.clone();
        let shown = account.contact(&id)?.shown(account, None);
        Ok((StatusCode::CREATED, Json(shown)))
    })
}

/// `DELETE /crm/objects/{version}/{objectType}/{id}`
pub(super) async fn delete(
    State(hubspot): State<HubSpot>,
    Path((_, of, id)): Path<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    let of = ObjectType::of(&of)?;
    hubspot.account.change(|account| account.delete(of, &id))?;
    Ok(StatusCode::NO_CONTENT)
}
