//! A call by its id or by a unique property.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::HubSpot;
use super::properties::ObjectType;
use super::refusal;
use super::upsert::shown;
use crate::refusal::Refusal;

/// What every record shows.
const ALWAYS: [&str; 3] = ["hs_object_id", "hs_createdate", "hs_lastmodifieddate"];

/// `GET /crm/objects/{version}/calls/{id}?idProperty=…&properties=…&associations=contacts`
///
/// Which properties it shows when none are asked for is not documented: none here but those of every record.
pub(super) async fn read(
    State(hubspot): State<HubSpot>,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Refusal> {
    let asked: Vec<&str> = query.get("properties").map_or(Vec::new(), |list| list.split(',').collect());
    hubspot.account.read(|account| {
        let number = match query.get("idProperty") {
            None => id.parse().map_err(|_| refusal::not_numeric(&id))?,
            // The words are those observed for an upsert; for reading none are documented.
            Some(property)
                if !account.property(ObjectType::Calls, property).is_some_and(|of| of.has_unique_value) =>
            {
                let message = format!("Unable to read by non-unique 0-48 property {property}");
                return Err(refusal::validation(&message));
            }
            Some(property) => {
                account.keyed(ObjectType::Calls, property, &id).ok_or_else(|| refusal::not_found(&id))?
            }
        };
        let call = account.calls.get(&number).ok_or_else(|| refusal::not_found(&id))?;
        let contact = |id: &String| json!({ "id": id, "type": "call_to_contact" });
        let contacts: Vec<_> = call.contacts.keys().map(contact).collect();
        let mut call = shown(call);
        if query.get("associations").is_some_and(|of| of == "contacts") && !contacts.is_empty() {
            call["associations"] = json!({ "contacts": { "results": contacts } });
        }
        if let Some(properties) = call["properties"].as_object_mut() {
            properties.retain(|name, _| ALWAYS.contains(&name.as_str()) || asked.contains(&name.as_str()));
        }
        Ok(Json(call))
    })
}
