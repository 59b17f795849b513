//! Which properties calls and contacts have, and how one is created.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::HubSpot;
use super::refusal::{Refusal, json};

/// The default call properties (calls guide), those of the recordings guide, and the values they allow.
///
/// The dispositions are the default outcomes' ids; an account can have more, the stand-in has none.
const OF_CALLS: &[(&str, &str, &[&str])] = &[
    ("hs_timestamp", "datetime", &[]),
    ("hs_call_title", "string", &[]),
    ("hs_call_body", "string", &[]),
    ("hs_call_direction", "enumeration", &["INBOUND", "OUTBOUND"]),
    (
        "hs_call_status",
        "enumeration",
        &[
            "BUSY",
            "CALLING_CRM_USER",
            "CANCELED",
            "COMPLETED",
            "CONNECTING",
            "FAILED",
            "IN_PROGRESS",
            "NO_ANSWER",
            "QUEUED",
            "RINGING",
        ],
    ),
    (
        "hs_call_disposition",
        "enumeration",
        &[
            "9d9162e7-6cf3-4944-bf63-4dff82258764",
            "f240bbac-87c9-4f6e-bf70-924b57d47db7",
            "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",
            "b2cf5968-551e-4856-9783-52b3da59a7d0",
            "73a0d17f-1163-4015-bdd5-ec830791da20",
            "17b47fee-58de-441e-a44c-c6300d46f273",
        ],
    ),
    ("hs_call_duration", "number", &[]),
    ("hs_call_from_number", "string", &[]),
    ("hs_call_to_number", "string", &[]),
    ("hs_call_recording_url", "string", &[]),
    ("hs_call_source", "enumeration", &["INTEGRATIONS_PLATFORM"]),
    ("hs_call_callee_object_id", "number", &[]),
    ("hs_call_callee_object_type", "string", &[]),
    ("hs_call_callee_object_type_id", "string", &[]),
    ("hs_call_has_voicemail", "bool", &["true", "false"]),
    ("hs_call_external_id", "string", &[]),
    ("hs_call_external_account_id", "string", &[]),
    ("hs_call_app_id", "number", &[]),
    ("hs_activity_type", "string", &[]),
    ("hs_attachment_ids", "string", &[]),
    ("hubspot_owner_id", "number", &[]),
];

/// The contact properties that a receiver of calls has to do with.
const OF_CONTACTS: &[(&str, &str, &[&str])] = &[
    ("hs_object_id", "number", &[]),
    ("createdate", "datetime", &[]),
    ("lastmodifieddate", "datetime", &[]),
    ("email", "string", &[]),
    ("firstname", "string", &[]),
    ("lastname", "string", &[]),
    ("company", "string", &[]),
    ("phone", "string", &[]),
    ("mobilephone", "string", &[]),
    ("hs_searchable_calculated_phone_number", "phone_number", &[]),
    ("hs_searchable_calculated_mobile_number", "phone_number", &[]),
    ("hubspot_owner_id", "number", &[]),
];

/// `type` and the `fieldType`s that go with it (properties guide).
const TYPES: &[(&str, &[&str])] = &[
    ("string", &["text", "textarea", "html", "file", "phonenumber", "calculation_equation"]),
    ("number", &["number", "calculation_equation"]),
    ("bool", &["booleancheckbox", "calculation_equation"]),
    ("enumeration", &["select", "radio", "checkbox", "booleancheckbox", "calculation_equation"]),
    ("date", &["date"]),
    ("datetime", &["date"]),
    ("phone_number", &["phonenumber"]),
];

#[derive(Clone, Copy)]
pub(super) enum ObjectType {
    Calls,
    Contacts,
}

impl ObjectType {
    /// The one group of properties that the stand-in's account has for these objects.
    fn group(self) -> &'static str {
        match self {
            Self::Calls => "call",
            Self::Contacts => "contactinformation",
        }
    }

    pub(super) fn standard_property(self, name: &str) -> Option<Property> {
        let table = match self {
            Self::Calls => OF_CALLS,
            Self::Contacts => OF_CONTACTS,
        };
        let &(name, kind, allowed) = table.iter().find(|(known, ..)| *known == name)?;
        let (_, field_types) = TYPES.iter().find(|(known, _)| *known == kind)?;
        let choice = |value: &&str| Choice { label: (*value).into(), value: (*value).into() };
        Some(Property {
            kind: kind.into(),
            field_type: field_types[0].into(),
            options: allowed.iter().map(choice).collect(),
            // HubSpot takes no two contacts with one address: `email` works as an `idProperty`.
            has_unique_value: name == "email",
            hubspot_defined: true,
            ..Property::text(name, name, self.group())
        })
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Property {
    pub(super) name: String,
    label: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    field_type: String,
    group_name: String,
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

impl Property {
    pub(super) fn text(name: &str, label: &str, group: &str) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind: "string".into(),
            field_type: "text".into(),
            group_name: group.into(),
            description: String::new(),
            has_unique_value: false,
            options: Vec::new(),
            hubspot_defined: false,
        }
    }

    pub(super) fn unique(name: &str, label: &str, group: &str) -> Self {
        Self { has_unique_value: true, ..Self::text(name, label, group) }
    }

    /// The published description requires five fields and lists their values; the guides say the rest.
    fn check(&self, of: ObjectType) -> Result<(), Refusal> {
        let invalid = |message: &str| Err(Refusal::validation(message));
        let name_chars = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !self.name.starts_with(|c: char| c.is_ascii_lowercase()) || !self.name.chars().all(name_chars) {
            return invalid(
                "name must start with a letter and be of lowercase letters, digits and underscores",
            );
        }
        if self.label.is_empty() {
            return invalid("label must not be empty");
        }
        if self.group_name != of.group() {
            return invalid(&format!("Property group {} does not exist", self.group_name));
        }
        let Some((_, field_types)) = TYPES.iter().find(|(kind, _)| *kind == self.kind) else {
            return invalid(&format!("{} is not a type", self.kind));
        };
        if !field_types.contains(&self.field_type.as_str()) {
            return invalid(&format!("{} is not a fieldType of {}", self.field_type, self.kind));
        }
        if self.kind == "enumeration" && self.options.is_empty() {
            return invalid("options are required for an enumeration");
        }
        Ok(())
    }
}

/// `POST /crm/properties/{version}/{objectType}`
pub(super) async fn create(
    State(hubspot): State<HubSpot>,
    Path((_, of)): Path<(String, String)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Property>), Refusal> {
    let of = object_type(&of)?;
    let property: Property = json(&body)?;
    property.check(of)?;
    hubspot.change(|account| {
        if account.property(of, &property.name).is_some() {
            return Err(Refusal::conflict(&format!("A property named '{}' already exists.", property.name)));
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
    let of = object_type(&of)?;
    hubspot.read(|account| account.property(of, &name)).map(Json).ok_or_else(|| Refusal::not_found(&name))
}

fn object_type(name: &str) -> Result<ObjectType, Refusal> {
    match name {
        "calls" => Ok(ObjectType::Calls),
        "contacts" => Ok(ObjectType::Contacts),
        _ => Err(Refusal::no_such_route()),
    }
}
