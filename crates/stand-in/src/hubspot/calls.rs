//! Calls: the upsert in batches, reading, and the association with a contact.

use std::collections::{BTreeMap, HashSet};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::HubSpot;
use super::account::{Account, Call, Values, iso, object};
use super::properties::ObjectType;
use super::refusal::{self, batch, json, now};
use super::values;
use crate::refusal::Refusal;

/// HubSpot's limit for every batch of records (object guides).
const AT_MOST: usize = 100;

/// What every record shows.
const ALWAYS: [&str; 3] = ["hs_object_id", "hs_createdate", "hs_lastmodifieddate"];

#[derive(Deserialize)]
struct Batch {
    inputs: Vec<Input>,
}

/// The published description's `SimplePublicObjectBatchInputUpsert`.
///
/// Values are text there, and `associations` is no field of it. That HubSpot refuses both a number and an
/// unknown field is not documented: it may be lenient, a caller must not count on it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    id: String,
    id_property: Option<String>,
    properties: Values,
    object_write_trace_id: Option<String>,
}

/// `POST /crm/objects/{version}/calls/batch/upsert`
///
/// With an `objectWriteTraceId` in every input, what is wrong with one is told in a 207, and the others are
/// written; without, it refuses the batch as a whole (error handling guide, which has it for creating
/// only; observed for upserts).
pub(super) async fn upsert(
    State(hubspot): State<HubSpot>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let started_at = now();
    let Batch { inputs } = json(&body)?;
    hubspot.account.change(|account| {
        check_batch(&inputs)?;
        let traced = inputs.iter().all(|input| input.object_write_trace_id.is_some());
        let (mut accepted, mut errors) = (Vec::new(), Vec::new());
        for input in inputs {
            match check(account, &input) {
                Ok(()) => accepted.push(input),
                Err(refusal) if traced => {
                    // The same as it would be alone, with the id (error handling guide).
                    let mut error = refusal.body;
                    error["context"]["objectWriteTraceId"] = json!([input.object_write_trace_id]);
                    errors.push(error);
                }
                Err(refusal) => return Err(refusal),
            }
        }
        let results: Vec<Value> = accepted.into_iter().map(|input| write(account, input)).collect();
        let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
        Ok((status, Json(batch(&results, &errors, &started_at))))
    })
}

/// Too many inputs, or two for one record, are refused before any is looked at (observed for the latter).
fn check_batch(inputs: &[Input]) -> Result<(), Refusal> {
    if inputs.is_empty() || inputs.len() > AT_MOST {
        return Err(refusal::validation(&format!("A batch has 1 to {AT_MOST} inputs")));
    }
    let mut seen = HashSet::new();
    match inputs.iter().find(|input| !seen.insert(&input.id)) {
        None => Ok(()),
        Some(Input { id, .. }) => {
            let message = format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique");
            Err(refusal::validation(&message).with("context", json!({ "ids": [id] })))
        }
    }
}

fn check(account: &Account, input: &Input) -> Result<(), Refusal> {
    // Optional in the published description; without it the id would have to be the record's own.
    let Some(id_property) = &input.id_property else {
        return Err(refusal::validation("idProperty is required to upsert"));
    };
    // Observed, with the id of the object's type in it; that of calls is 0-48.
    if !account.property(ObjectType::Calls, id_property).is_some_and(|property| property.has_unique_value) {
        let message = format!("Unable to perform update/upsert by non-unique 0-48 property {id_property}");
        return Err(refusal::validation(&message));
    }
    let invalid = values::check(account, &input.properties);
    if !invalid.is_empty() {
        return Err(refusal::invalid_values(&invalid));
    }
    let known = account.call_id(id_property, &input.id);
    // Required to create (calls guide); an update changes what it gives.
    if known.is_none() && input.properties.get("hs_timestamp").is_none_or(String::is_empty) {
        let message = "Error creating CALL. Some required properties were not set.";
        return Err(refusal::validation(message).with("context", json!({ "properties": ["hs_timestamp"] })));
    }
    let taken = |(name, value): (&String, &String)| {
        let owner = account.call_id(name, value)?;
        (known != Some(owner)).then(|| format!("{owner} already has the value {value} for {name}"))
    };
    input.properties.iter().find_map(taken).map_or(Ok(()), |message| Err(refusal::validation(&message)))
}

fn write(account: &mut Account, input: Input) -> Value {
    let key = (input.id_property.unwrap_or_default(), input.id);
    let (new, call) = account.upsert_call(key, input.properties);
    let mut result = shown(call);
    result["new"] = json!(new);
    if let Some(id) = input.object_write_trace_id {
        result["objectWriteTraceId"] = json!(id);
    }
    result
}

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
            Some(property) => account.call_id(property, &id).ok_or_else(|| refusal::not_found(&id))?,
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

fn shown(call: &Call) -> Value {
    let mut properties = json!(call.properties);
    properties["hs_object_id"] = json!(call.id);
    properties["hs_createdate"] = json!(iso(call.created_at));
    properties["hs_lastmodifieddate"] = json!(iso(call.updated_at));
    object(&call.id, &properties, call.created_at, call.updated_at)
}

/// `PUT /crm/objects/{version}/calls/{id}/associations/default/contacts/{contactId}`
///
/// Answers both directions; 194 is from a call to a contact (calls guide), 193 the way back.
pub(super) async fn associate(
    State(hubspot): State<HubSpot>,
    Path((_, call_id, contact_id)): Path<(String, String, String)>,
) -> Result<Json<Value>, Refusal> {
    let started_at = now();
    hubspot.account.change(|account| {
        let contact = account.contact(&contact_id)?;
        let (contact_id, name) = (contact.id.clone(), contact.name());
        let call = account.call(&call_id)?;
        let association = |from: &str, to: &str, type_id: u32| {
            json!({
                "from": { "id": from },
                "to": { "id": to },
                "associationSpec": { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id },
            })
        };
        let both = [association(&call.id, &contact_id, 194), association(&contact_id, &call.id, 193)];
        call.contacts.insert(contact_id, name);
        Ok(Json(batch(&both, &[], &started_at)))
    })
}
