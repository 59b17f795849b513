//! Records by their ids: reading and deleting one; and making a contact, as a person's script does.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::HubSpot;
use super::account::Values;
use super::properties::ObjectType;
use super::refusal::{checked, json};
use super::upsert::check_values;
use crate::refusal::Refusal;
use crate::schema::Schema;

static CREATE: Schema = Schema::new(include_str!("schemas/objects.json"), "create");
static QUERY: Schema = Schema::new(include_str!("schemas/objects.json"), "query");

/// `GET /crm/objects/{version}/{objectType}/{id}?idProperty=…&properties=…&associations=contacts`
pub(super) async fn read(
    State(hubspot): State<HubSpot>,
    Path((_, of, id)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Refusal> {
    let of = ObjectType::of(&of)?;
    let parameters: BTreeMap<_, _> = query.iter().cloned().collect();
    checked::<BTreeMap<String, String>>(&QUERY, json!(parameters))?;
    let given = |wanted: &'static str| query.iter().filter(move |(name, _)| name == wanted);
    let id_property = given("idProperty").next().map(|(_, value)| value.as_str());
    // One list with commas, or the parameter several times.
    let asked: Vec<String> =
        given("properties").flat_map(|(_, list)| list.split(',')).map(Into::into).collect();
    hubspot.account.read(|account| {
        let record = account.find(of, id_property, &id)?;
        let contact = |id: &String| json!({ "id": id, "type": "call_to_contact" });
        let contacts: Vec<_> = record.contacts.keys().map(contact).collect();
        let mut record = record.shown(account, of, &asked);
        if given("associations").any(|(_, of)| of == "contacts") && !contacts.is_empty() {
            record["associations"] = json!({ "contacts": { "results": contacts } });
        }
        Ok(Json(record))
    })
}

#[derive(Deserialize)]
pub(super) struct New {
    properties: Values,
}

/// `POST /crm/objects/{version}/contacts`
pub(super) async fn create_contact(
    State(hubspot): State<HubSpot>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let New { properties } = json(&CREATE, &body)?;
    hubspot.account.change(|account| {
        check_values(account, ObjectType::Contacts, &properties, true)?;
        let id = account.write(ObjectType::Contacts, None, properties).id.clone();
        let shown = account.contact(&id)?.shown(account, ObjectType::Contacts, []);
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
