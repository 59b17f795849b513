//! Which contact a call was with: the one that `custom_fields.crm_id` names, else one with the caller's number, else one that
//! is made for him where `HUBSPOT_UNKNOWN_CALLER` says so.

use phonenumber::PhoneNumber;
use serde_json::json;

use engine::{call::Call, vendor::ClientError};
use hubspot_api::Page;

use super::{
    HubSpot,
    settings::{SeveralContacts, UnknownCaller},
    setup::NUMBER,
};
use crate::clients::caller;

/// The custom field that names the contact.
const CRM_ID: &str = "crm_id";

/// A contact, or why there is none.
#[derive(Default)]
pub(super) struct Found {
    pub(super) id: Option<String>,
    pub(super) note: Option<String>,
}

impl Found {
    fn none(note: String) -> Self {
        Self { id: None, note: Some(note) }
    }
}

impl HubSpot {
    pub(super) async fn find_contact(&self, call: &Call) -> Result<Found, ClientError> {
        // Of a path it names nobody, whoever reads the path that it would stand in.
        if let Some(crm_id) = call.custom_field(CRM_ID).filter(|id| !id.contains(['/', '\\'])) {
            let named = self.api.find("contacts", self.contact_id_property.as_deref(), &crm_id).await?;
            if named.is_some() {
                return Ok(Found { id: named, note: None });
            }
            tracing::debug!("no contact is named by crm_id: looking for the number instead");
        }
        let Some(number) = caller::number(call, self.region) else {
            return Ok(Found::none(
                "no contact: no crm_id names one, and there is no number to look for".into(),
            ));
        };
        let Page { total, oldest } = self.contacts_with(&number).await?;
        let several = |taken: &str| format!("{total} contacts have this number: {taken} was taken");
        Ok(match oldest {
            // An extension, or what a platform writes for a withheld number, is nobody's.
            None if self.unknown_caller == UnknownCaller::Create && phonenumber::is_valid(&number) => {
                let made = self.make_contact(&number).await?;
                let note = format!("no contact had this number: contact {made} was made");
                Found { id: Some(made), note: Some(note) }
            }
            None => Found::none("no contact has this number".into()),
            Some(_) if total > 1 && self.several_contacts == SeveralContacts::None => {
                Found::none(several("none"))
            }
            oldest => Found { id: oldest, note: (total > 1).then(|| several("the oldest")) },
        })
    }

    /// Those with a phone number, as people write it and as HubSpot normalises it.
    pub(super) async fn contacts_with(&self, number: &PhoneNumber) -> Result<Page, ClientError> {
        let e164 = caller::e164(number);
        // "HubSpot only uses the area code and local number": without the country's code. (Documentation, "Search the CRM".)
        let local = number.national().to_string();
        let any_of = [
            ("phone", e164.as_str()),
            ("mobilephone", &e164),
            ("hs_searchable_calculated_phone_number", &local),
            ("hs_searchable_calculated_mobile_number", &local),
        ];
        self.api.contacts(&any_of).await
    }

    /// Makes a contact of this number, once, and returns its id; safe to repeat.
    ///
    /// What was just made is not yet found by a search, which lags behind. By its unique property it is found at once, and two
    /// calls that make it at once make one.
    async fn make_contact(&self, number: &PhoneNumber) -> Result<String, ClientError> {
        let e164 = caller::e164(number);
        // An upsert would take back what people have written since.
        if let Some(id) = self.api.find("contacts", Some(NUMBER), &e164).await? {
            return Ok(id);
        }
        let properties = json!({
            NUMBER: e164,
            "phone": e164,
            // A contact needs a name or an address.
            "firstname": "Caller",
            "lastname": caller::readable(number),
        });
        Ok(self.api.upsert("contacts", (NUMBER, &e164), &properties).await?.id)
    }
}
