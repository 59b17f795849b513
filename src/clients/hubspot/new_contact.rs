//! A contact for a caller who has none, made once.

use phonenumber::PhoneNumber;
use serde_json::json;

use super::api::{HubSpot, NUMBER_PROPERTY};
use crate::clients::caller;
use engine::vendor::ClientError;

impl HubSpot {
    /// Makes a contact of this number, and returns its id; safe to repeat.
    ///
    /// What was just made is not yet found by a search, which lags behind. By its unique property it is found at once, and two
    /// calls that make it at once make one.
    pub(super) async fn make_contact(&self, number: &PhoneNumber) -> Result<String, ClientError> {
        let e164 = caller::e164(number);
        // An upsert would take back what people have written since.
        if let Some(id) = self.record("contacts", Some(NUMBER_PROPERTY), &e164).await? {
            return Ok(id);
        }
        let properties = json!({
            NUMBER_PROPERTY: e164,
            "phone": e164,
            // A contact needs a name or an address.
            "firstname": "Caller",
            "lastname": caller::readable(number),
        });
        Ok(self.upsert("contacts", (NUMBER_PROPERTY, &e164), &properties).await?.id)
    }
}
