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

/// `DELETE /crm/objects/{version}/calls/{id}`
pub(super) async fn delete_call(
    State(hubspot): State<HubSpot>,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    hubspot.account.change(|account| account.delete_call(&id))?;
    Ok(StatusCode::NO_CONTENT)
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
        let id = account.add_contact(properties);
        let shown = account.contact(&id)?.shown(account, None);
        Ok((StatusCode::CREATED, Json(shown)))
    })
}

/// `DELETE /crm/objects/{version}/contacts/{id}`
pub(super) async fn delete_contact(
    State(hubspot): State<HubSpot>,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    hubspot.account.change(|account| account.delete_contact(&id))?;
    Ok(StatusCode::NO_CONTENT)
}
