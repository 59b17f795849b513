//! Unique properties, by which records are found again. (HubSpot's documentation, "Properties".)

use engine::{package::Package, vendor::ClientError};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::{api::Api, error::refused};

/// A property that holds a text which no two records share.
pub struct Property {
    /// The type of its records: `calls`.
    pub of: &'static str,
    /// The group that it stands in: `call`.
    pub group: &'static str,
    /// Its name in the API.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct There {
    has_unique_value: bool,
}

impl Api {
    /// Makes it, and says whether it was there already.
    ///
    /// # Errors
    ///
    /// HubSpot refused: the service key needs the scope `crm.schemas.contacts.write`, or can't be reached.
    pub async fn make(&self, property: &Property) -> Result<String, ClientError> {
        let Property { of, group, name, label } = property;
        let request = self.crm(Method::POST, &["properties", of]).json(&json!({
            "groupName": group,
            "name": name,
            "label": label,
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": true,
        }));
        let answer = self.vendor.send(request).await?;
        match answer.status {
            StatusCode::CONFLICT => Ok(format!("{name} was there already")),
            status if status.is_success() => Ok(format!("{name} is made")),
            _ => Err(refused(&answer, self.unique)),
        }
    }

    /// Looks whether it is there, and says so.
    ///
    /// # Errors
    ///
    /// It is missing or not unique; HubSpot refused, or can't be reached.
    pub async fn look(&self, Property { of, name, .. }: &Property) -> Result<String, ClientError> {
        let answer = self.vendor.send(self.crm(Method::GET, &["properties", of, name])).await?;
        let set_up = Package::of_this_process().command("setup");
        match answer.status {
            StatusCode::NOT_FOUND => Err(ClientError::Stop(format!("{name} is missing: {set_up} makes it"))),
            // Its scope is needed for the set-up alone, and may be taken from the key afterwards.
            StatusCode::FORBIDDEN => Ok(format!("it may not see whether {name} is there")),
            status if status.is_success() => match answer.json() {
                Some(There { has_unique_value: true }) => Ok(format!("{name} is there")),
                _ => Err(ClientError::Stop(format!(
                    "{name} is there, but not unique: delete it, and let {set_up} make it anew"
                ))),
            },
            _ => Err(refused(&answer, self.unique)),
        }
    }
}
