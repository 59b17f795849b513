//! Which properties calls, contacts and tasks have, and how one is created.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::HubSpot;
use super::refusal::{self, json};
use crate::refusal::Refusal;
use crate::schema::Schema;

static CREATE: Schema = Schema::new(include_str!("schemas/properties.json"), "create");

/// The default call properties (calls guide) and those of the recordings guide, by `type` and `fieldType`.
const OF_CALLS: &[(&str, &str, &str)] = &[
    ("datetime", "date", "hs_timestamp hs_createdate hs_lastmodifieddate"),
    ("bool", "booleancheckbox", "hs_call_has_voicemail"),
    (
        "number",
        "number",
        "hs_call_duration hs_call_callee_object_id hs_call_app_id hs_object_id hubspot_owner_id",
    ),
    ("enumeration", "select", "hs_call_direction hs_call_status hs_call_disposition hs_call_source"),
    (
        "string",
        "text",
        "hs_call_title hs_call_body hs_call_from_number hs_call_to_number hs_call_recording_url hs_call_callee_object_type \
         hs_call_callee_object_type_id hs_activity_type hs_attachment_ids hs_call_external_id hs_call_external_account_id",
    ),
];

/// The values that some of them allow (calls guide).
///
/// The dispositions are the default outcomes' ids; an account can have more, the stand-in has none.
const OPTIONS: &[(&str, &str)] = &[
    ("hs_call_has_voicemail", "true false"),
    ("hs_call_direction", "INBOUND OUTBOUND"),
    ("hs_call_source", "INTEGRATIONS_PLATFORM"),
    (
        "hs_call_status",
        "BUSY CALLING_CRM_USER CANCELED COMPLETED CONNECTING FAILED IN_PROGRESS NO_ANSWER QUEUED RINGING",
    ),
    (
        "hs_call_disposition",
        "9d9162e7-6cf3-4944-bf63-4dff82258764 f240bbac-87c9-4f6e-bf70-924b57d47db7 \
         a4c4c377-d246-4b32-a13b-75a56a4cd0ff b2cf5968-551e-4856-9783-52b3da59a7d0 \
         73a0d17f-1163-4015-bdd5-ec830791da20 17b47fee-58de-441e-a44c-c6300d46f273",
    ),
    ("hs_task_status", "COMPLETED NOT_STARTED IN_PROGRESS WAITING DEFERRED"),
    ("hs_task_priority", "LOW MEDIUM HIGH"),
    ("hs_task_type", "EMAIL CALL TODO"),
];

/// The contact properties that a receiver of calls has to do with.
const OF_CONTACTS: &[(&str, &str, &str)] = &[
    ("number", "number", "hs_object_id hubspot_owner_id"),
    ("datetime", "date", "createdate lastmodifieddate"),
    ("string", "text", "email firstname lastname company phone mobilephone"),
    (
        "phone_number",
        "phonenumber",
        "hs_searchable_calculated_phone_number hs_searchable_calculated_mobile_number",
    ),
];

/// The task properties that a receiver of calls has to do with (tasks guide).
const OF_TASKS: &[(&str, &str, &str)] = &[
    ("datetime", "date", "hs_timestamp hs_createdate hs_lastmodifieddate"),
    ("number", "number", "hs_object_id hubspot_owner_id"),
    ("enumeration", "select", "hs_task_status hs_task_priority hs_task_type"),
    ("string", "text", "hs_task_subject hs_task_body"),
];

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum ObjectType {
    Calls,
    Contacts,
    Tasks,
}

impl ObjectType {
    pub(super) fn of(name: &str) -> Result<Self, Refusal> {
        match name {
            "calls" => Ok(Self::Calls),
            "contacts" => Ok(Self::Contacts),
            "tasks" => Ok(Self::Tasks),
            _ => Err(refusal::no_such_route()),
        }
    }

    /// The one group of properties that the stand-in's account has for these objects.
    pub(super) fn group(self) -> &'static str {
        match self {
            Self::Calls => "call",
            Self::Contacts => "contactinformation",
            Self::Tasks => "task",
        }
    }

    /// The vendor's number for it (associations guide).
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Calls => "0-48",
            Self::Contacts => "0-1",
            Self::Tasks => "0-27",
        }
    }

    /// The types of an association with a contact, and of the way back (associations guide).
    pub(super) fn with_contact(self) -> Option<[u32; 2]> {
        match self {
            Self::Calls => Some([194, 193]),
            Self::Tasks => Some([204, 203]),
            Self::Contacts => None,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Property {
    pub(super) name: String,
    label: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    field_type: String,
    pub(super) group_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    pub(super) has_unique_value: bool,
    #[serde(default)]
    pub(super) options: Vec<Choice>,
    #[serde(skip_deserializing)]
    hubspot_defined: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Choice {
    label: String,
    pub(super) value: String,
}

/// The vendor's own property of this name.
pub(super) fn standard(of: ObjectType, name: &str) -> Option<Property> {
    let table = match of {
        ObjectType::Calls => OF_CALLS,
        ObjectType::Contacts => OF_CONTACTS,
        ObjectType::Tasks => OF_TASKS,
    };
    let (kind, field_type, _) =
        table.iter().find(|(_, _, names)| names.split(' ').any(|known| known == name))?;
    let choice = |value: &str| Choice { label: value.into(), value: value.into() };
    let options = OPTIONS.iter().find(|(known, _)| *known == name);
    Some(Property {
        kind: (*kind).into(),
        field_type: (*field_type).into(),
        group_name: of.group().into(),
        options: options.map(|(_, values)| values.split(' ').map(choice).collect()).unwrap_or_default(),
        // No two contacts have one address: `email` works as an `idProperty`.
        has_unique_value: name == "email",
        hubspot_defined: true,
        ..Property::text(name, name)
    })
}

impl Property {
    /// Of the group of the objects to which it is added.
    pub(super) fn text(name: &str, label: &str) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind: "string".into(),
            field_type: "text".into(),
            ..Self::default()
        }
    }

    pub(super) fn unique(name: &str, label: &str) -> Self {
        Self { has_unique_value: true, ..Self::text(name, label) }
    }
}

/// `POST /crm/properties/{version}/{objectType}`
pub(super) async fn create(
    State(hubspot): State<HubSpot>,
    Path((_, of)): Path<(String, String)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Property>), Refusal> {
    let of = ObjectType::of(&of)?;
    let property: Property = json(&CREATE, &body)?;
    if property.group_name != of.group() {
        let message = format!("Property group {} does not exist", property.group_name);
        return Err(refusal::validation(&message));
    }
    hubspot.account.change(|account| {
        if account.property(of, &property.name).is_some() {
            return Err(refusal::conflict(&format!("A property named '{}' already exists.", property.name)));
        }
        account.add_property(of, property.clone());
        Ok((StatusCode::CREATED, Json(property)))
    })
}

/// `GET /crm/properties/{version}/{objectType}/{name}`
pub(super) async fn read(
    State(hubspot): State<HubSpot>,
    Path((_, of, name)): Path<(String, String, String)>,
) -> Result<Json<Property>, Refusal> {
    let of = ObjectType::of(&of)?;
    let found = hubspot.account.read(|account| account.property(of, &name));
    found.map(Json).ok_or_else(|| refusal::not_found(&name))
}
