//! Records of any type: the upsert in batches, and the association with a contact.

use std::collections::HashSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::HubSpot;
use super::account::{Account, Values};
use super::properties::ObjectType;
use super::refusal::{self, batch, json, now};
use super::values;
use crate::refusal::Refusal;
use crate::schema::Schema;

static UPSERT: Schema = Schema::new(include_str!("schemas/objects.json"), "upsert");

#[derive(Deserialize)]
struct Batch {
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    id: String,
    id_property: String,
    properties: Values,
}

/// `POST /crm/objects/{version}/{objectType}/batch/upsert`
///
/// What is wrong with one input refuses the batch as a whole (observed, where they have no `objectWriteTraceId`).
pub(super) async fn upsert(
    State(hubspot): State<HubSpot>,
    Path((_, of)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let started_at = now();
    let of = ObjectType::of(&of)?;
    let Batch { inputs } = json(&UPSERT, &body)?;
    hubspot.account.change(|account| {
        check_batch(&inputs)?;
        inputs.iter().try_for_each(|input| check(account, of, input))?;
        let results: Vec<Value> = inputs.into_iter().map(|input| write(account, of, input)).collect();
        Ok(Json(batch(&results, &[], &started_at)))
    })
}

/// Two inputs for one record are refused before any is looked at (observed).
fn check_batch(inputs: &[Input]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    match inputs.iter().find(|input| !seen.insert(&input.id)) {
        None => Ok(()),
        Some(Input { id, .. }) => {
            let message = format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique");
            Err(refusal::validation(&message).with("context", json!({ "ids": [id] })))
        }
    }
}

fn check(account: &Account, of: ObjectType, input: &Input) -> Result<(), Refusal> {
    let id_property = &input.id_property;
    // Observed, with the id of the object's type in it.
    if !account.property(of, id_property).is_some_and(|property| property.has_unique_value) {
        let message =
            format!("Unable to perform update/upsert by non-unique {} property {id_property}", of.id());
        return Err(refusal::validation(&message));
    }
    let known = account.keyed(of, id_property, &input.id);
    check_values(account, of, &input.properties, known.is_none())?;
    let taken = |(name, value): (&String, &String)| {
        let owner = account.keyed(of, name, value)?;
        (known != Some(owner)).then(|| format!("{owner} already has the value {value} for {name}"))
    };
    input.properties.iter().find_map(taken).map_or(Ok(()), |message| Err(refusal::validation(&message)))
}

/// What the values of a record are refused for: what is wrong with one of them, and what a new one lacks, while an update
/// changes what it gives (the guides of calls, tasks and contacts).
pub(super) fn check_values(
    account: &Account,
    of: ObjectType,
    properties: &Values,
    is_new: bool,
) -> Result<(), Refusal> {
    let invalid = values::check(account, of, properties);
    if !invalid.is_empty() {
        return Err(refusal::invalid_values(&invalid));
    }
    let (name, any_of): (_, &[&str]) = match of {
        ObjectType::Calls => ("CALL", &["hs_timestamp"]),
        ObjectType::Tasks => ("TASK", &["hs_timestamp"]),
        ObjectType::Contacts => ("CONTACT", &["email", "firstname", "lastname"]),
    };
    if !is_new || any_of.iter().any(|name| properties.get(*name).is_some_and(|value| !value.is_empty())) {
        return Ok(());
    }
    let message = format!("Error creating {name}. Some required properties were not set.");
    Err(refusal::validation(&message).with("context", json!({ "properties": any_of })))
}

fn write(account: &mut Account, of: ObjectType, input: Input) -> Value {
    let known = account.keyed(of, &input.id_property, &input.id);
    let mut properties = input.properties;
    properties.entry(input.id_property).or_insert(input.id);
    let record = account.write(of, known, properties).clone();
    let mut result = record.shown(account, of, record.properties.keys());
    result["new"] = json!(known.is_none());
    result
}

/// `PUT /crm/objects/{version}/{objectType}/{id}/associations/default/contacts/{contactId}`
///
/// Answers both directions.
pub(super) async fn associate(
    State(hubspot): State<HubSpot>,
    Path((_, of, id, contact_id)): Path<(String, String, String, String)>,
) -> Result<Json<Value>, Refusal> {
    let started_at = now();
    let of = ObjectType::of(&of)?;
    let [there, back] = of.with_contact().ok_or_else(refusal::no_such_route)?;
    hubspot.account.change(|account| {
        let contact = account.contact(&contact_id)?;
        let (contact_id, name) = (contact.id.clone(), contact.name());
        let record = account.record(of, &id)?;
        let association = |from: &str, to: &str, type_id: u32| {
            json!({
                "from": { "id": from },
                "to": { "id": to },
                "associationSpec": { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id },
            })
        };
        let both = [association(&record.id, &contact_id, there), association(&contact_id, &record.id, back)];
        record.contacts.insert(contact_id, name);
        Ok(Json(batch(&both, &[], &started_at)))
    })
}
