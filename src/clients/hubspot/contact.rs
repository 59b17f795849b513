//! Which contact a call was with: the one that `custom_fields.crm_id` names, else one with the caller's number.

use phonenumber::PhoneNumber;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{HubSpot, refused};
use crate::{clients::ClientError, receive::event::CallEvent};

/// The custom field that names the contact.
const CRM_ID: &str = "crm_id";

/// A contact, or why there is none.
#[derive(Default)]
pub(super) struct Found {
    pub(super) id: Option<String>,
    pub(super) note: Option<String>,
}

impl Found {
    fn none(note: &str) -> Self {
        Self { id: None, note: Some(note.to_owned()) }
    }
}

impl HubSpot {
    pub(super) async fn find_contact(&self, call: &CallEvent) -> Result<Found, ClientError> {
        if let Some(crm_id) = call.custom_field(CRM_ID) {
            if let Some(id) = self.contact_named(&crm_id).await? {
                return Ok(Found { id: Some(id), note: None });
            }
            tracing::debug!("no contact is named by crm_id: looking for the number instead");
        }
        let number = call.other_party().and_then(|number| phonenumber::parse(None, number).ok());
        match number {
            Some(number) => self.contact_with(&number).await,
            None => Ok(Found::none("no contact: no crm_id names one, and there is no number to look for")),
        }
    }

    /// By HubSpot's own id, or by the property of `HUBSPOT_CONTACT_ID_PROPERTY`.
    async fn contact_named(&self, crm_id: &str) -> Result<Option<String>, ClientError> {
        let id_property = self.contact_id_property.as_ref().map(|property| [("idProperty", property)]);
        let request = self.request(Method::GET, &["objects", "contacts", crm_id]).query(&id_property);
        let answer = self.vendor.send(request).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            // HubSpot's own ids are numbers; any other text is a malformed request to it, not a missing contact.
            StatusCode::BAD_REQUEST if self.contact_id_property.is_none() => Ok(None),
            status if status.is_success() => Ok(answer.json::<Contact>().map(|contact| contact.id)),
            _ => Err(refused(&answer)),
        }
    }

    /// By phone number, as people write it and as HubSpot normalises it.
    pub(super) async fn contact_with(&self, number: &PhoneNumber) -> Result<Found, ClientError> {
        let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
        // "HubSpot only uses the area code and local number": without the country's code. (Documentation, "Search the CRM".)
        let local = number.national().to_string();
        let groups = [
            ("phone", &e164),
            ("mobilephone", &e164),
            ("hs_searchable_calculated_phone_number", &local),
            ("hs_searchable_calculated_mobile_number", &local),
        ];
        let any_of: Vec<Value> = groups.into_iter().map(|(property, value)| equal(property, value)).collect();
        let request = self.request(Method::POST, &["objects", "contacts", "search"]).json(&json!({
            "filterGroups": any_of,
            "properties": ["hs_object_id"],
            // The same one at every try.
            "sorts": [{ "propertyName": "createdate", "direction": "ASCENDING" }],
            "limit": 2,
            "after": "0",
        }));
        let page: Page = self.ask(request).await?.json().unwrap_or_default();
        Ok(match page.results.into_iter().next() {
            None => Found::none("no contact has this number"),
            Some(Contact { id }) => {
                let note = (page.total > 1)
                    .then(|| format!("{} contacts have this number: the oldest was taken", page.total));
                Found { id: Some(id), note }
            }
        })
    }
}

fn equal(property: &str, value: &str) -> Value {
    json!({ "filters": [{ "propertyName": property, "operator": "EQ", "value": value }] })
}

#[derive(Deserialize)]
struct Contact {
    id: String,
}

#[derive(Default, Deserialize)]
struct Page {
    total: u64,
    results: Vec<Contact>,
}
