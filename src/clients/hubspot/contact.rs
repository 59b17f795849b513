//! Which contact a call was with: the one that `custom_fields.crm_id` names, else one with the caller's number, else one that
//! is made for him where `HUBSPOT_UNKNOWN_CALLER` says so.

use std::time::Duration;

use phonenumber::PhoneNumber;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{HubSpot, Record, success, unreadable};
use crate::{
    clients::caller,
    settings::{SeveralContacts, UnknownCaller},
};
use engine::{
    call::Call,
    vendor::{Answer, ClientError},
};

/// The custom field that names the contact.
const CRM_ID: &str = "crm_id";

/// The search's limit is counted by the second, and its 429 says nothing of when to come back. (Documentation, "Search the
/// CRM".)
const SEARCH_PAUSE: Duration = Duration::from_secs(1);

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
        if let Some(crm_id) = call.custom_field(CRM_ID) {
            if let Some(id) = self.record("contacts", self.contact_id_property.as_deref(), &crm_id).await? {
                return Ok(Found { id: Some(id), note: None });
            }
            tracing::debug!("no contact is named by crm_id: looking for the number instead");
        }
        let Some(number) = caller::number(call, self.region) else {
            return Ok(Found::none(
                "no contact: no crm_id names one, and there is no number to look for".into(),
            ));
        };
        let Page { total, results } = self.contacts_with(&number).await?;
        Ok(match results.into_iter().next() {
            // An extension, or what a platform writes for a withheld number, is nobody's.
            None if self.unknown_caller == UnknownCaller::Create && phonenumber::is_valid(&number) => {
                let made = self.make_contact(&number).await?;
                let note = format!("no contact had this number: contact {made} was made");
                Found { id: Some(made), note: Some(note) }
            }
            None => Found::none("no contact has this number".into()),
            Some(_) if total > 1 && self.several_contacts == SeveralContacts::None => {
                Found::none(format!("{total} contacts have this number: none was taken"))
            }
            Some(Record { id }) => {
                let several =
                    (total > 1).then(|| format!("{total} contacts have this number: the oldest was taken"));
                Found { id: Some(id), note: several }
            }
        })
    }

    /// Those with a phone number, as people write it and as HubSpot normalises it.
    pub(super) async fn contacts_with(&self, number: &PhoneNumber) -> Result<Page, ClientError> {
        let e164 = caller::e164(number);
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
            // The same one at every try: the oldest.
            "sorts": ["createdate"],
            "limit": 2,
            "after": "0",
        }));
        self.search(request).await?.json().ok_or_else(unreadable)
    }
}

impl HubSpot {
    /// Sends a search, which has a limit of its own beside that of all requests: what it refuses holds back searches alone.
    async fn search(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let answer = self.vendor.send_within(&self.searches, request).await?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            let after = answer.retry_after.unwrap_or(SEARCH_PAUSE);
            self.searches.exceeded(after);
            let reason = "HubSpot takes no more searches for now".to_owned();
            return Err(ClientError::Limited { reason, after });
        }
        success(answer)
    }
}

/// Whether a text can be one segment of a path, and the same one to whoever reads it: by the URL standard tabs and line breaks
/// vanish, and `.` and `..` lead elsewhere. What can't names nobody.
pub(super) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(|c: char| c.is_control() || c == '/' || c == '\\')
}

fn equal(property: &str, value: &str) -> Value {
    json!({ "filters": [{ "propertyName": property, "operator": "EQ", "value": value }] })
}

#[derive(Deserialize)]
pub(super) struct Page {
    total: u64,
    results: Vec<Record>,
}

#[cfg(test)]
mod tests {
    use super::is_segment;

    #[test]
    fn what_leads_elsewhere_in_a_path_is_no_segment() {
        for text in ["ACME-4451", "101", "a b", "100%", "%2e%2e", "...", "Müller", "a?b#c"] {
            assert!(is_segment(text), "{text:?}");
        }
        for text in ["", ".", "..", ".\t.", "a\nb", "a\u{7f}", "a/b", "../companies/1", "..\\1"] {
            assert!(!is_segment(text), "{text:?}");
        }
    }
}
