//! What HubSpot must have once before calls can be logged.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{CALL_ID_PROPERTY, HubSpot, refused};
use crate::clients::ClientError;

impl HubSpot {
    /// Makes the unique property by which calls are found again; returns false where it is there already.
    ///
    /// # Errors
    ///
    /// HubSpot refused: the service key needs the scope `crm.schemas.contacts.write`, or can't be reached.
    pub async fn set_up(&self) -> Result<bool, ClientError> {
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
            StatusCode::CONFLICT => Ok(false),
            status if status.is_success() => Ok(true),
            _ => Err(refused(&answer)),
        }
    }
}
