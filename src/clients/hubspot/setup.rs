//! What HubSpot must have once before calls can be logged.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::api::{CALL_ID_PROPERTY, HubSpot, refused};
use engine::vendor::ClientError;

/// A number that nobody has: those of 555-01xx are kept for fiction. (North American Numbering Plan.)
pub(super) const NOBODY: &str = "+12025550100";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Property {
    has_unique_value: bool,
}

impl HubSpot {
    /// Makes the unique property by which calls are found again, and says whether it was there already.
    ///
    /// # Errors
    ///
    /// HubSpot refused: the service key needs the scope `crm.schemas.contacts.write`, or can't be reached.
    pub async fn set_up(&self) -> Result<String, ClientError> {
        let request = self.request(Method::POST, &["properties", "calls"]).json(&json!({
            "groupName": "call",
            "name": CALL_ID_PROPERTY,
            "label": "External call ID",
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": true,
        }));
        let answer = self.vendor.send(request).await?;
        match answer.status {
            StatusCode::CONFLICT => Ok(format!("{CALL_ID_PROPERTY} was there already")),
            status if status.is_success() => Ok(format!("{CALL_ID_PROPERTY} is made")),
            _ => Err(refused(&answer)),
        }
    }

    /// Looks whether calls could be logged, without writing: whether the key may find contacts, and whether the unique
    /// property is there; returns what it found.
    ///
    /// # Errors
    ///
    /// HubSpot refused or can't be reached, or the property is missing or not unique.
    pub async fn check(&self) -> Result<String, ClientError> {
        let nobody = phonenumber::parse(None, NOBODY).expect("it is a number");
        self.contact_with(&nobody).await?;
        let request = self.request(Method::GET, &["properties", "calls", CALL_ID_PROPERTY]);
        let answer = self.vendor.send(request).await?;
        let stop = |reason: &str| Err(ClientError::Stop(format!("{CALL_ID_PROPERTY} {reason}")));
        match answer.status {
            StatusCode::NOT_FOUND => stop("is missing: `aftercall setup` makes it"),
            // Its scope is needed for the set-up alone, and may be taken from the key afterwards.
            StatusCode::FORBIDDEN => {
                Ok("the key may find contacts; it may not see whether external_call_id is there".into())
            }
            status if status.is_success() => match answer.json::<Property>() {
                Some(Property { has_unique_value: true }) => {
                    Ok("the key may find contacts, and external_call_id is there".into())
                }
                _ => stop("is there, but not unique: delete it, and let `aftercall setup` make it anew"),
            },
            _ => Err(refused(&answer)),
        }
    }
}
