//! What HubSpot must have once before calls can be logged.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::api::{CALL_ID_PROPERTY, HubSpot, NUMBER_PROPERTY, refused};
use crate::settings::UnknownCaller;
use engine::vendor::ClientError;

/// A number that nobody has: those of 555-01xx are kept for fiction. (North American Numbering Plan.)
pub(super) const NOBODY: &str = "+12025550100";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Property {
    has_unique_value: bool,
}

impl HubSpot {
    /// Makes the unique properties by which records are found again, and says whether they were there already.
    ///
    /// # Errors
    ///
    /// HubSpot refused: the service key needs the scope `crm.schemas.contacts.write`, or can't be reached.
    pub async fn set_up(&self) -> Result<String, ClientError> {
        self.make_properties("calls", "call").await
    }

    /// The same for tasks.
    ///
    /// # Errors
    ///
    /// Those of [`Self::set_up`].
    pub async fn set_up_tasks(&self) -> Result<String, ClientError> {
        self.make_properties("tasks", "task").await
    }

    async fn make_properties(&self, of: &str, group: &str) -> Result<String, ClientError> {
        let mut done = vec![self.make_property(of, group, (CALL_ID_PROPERTY, "External call ID")).await?];
        if self.unknown_caller == UnknownCaller::Create {
            let number = (NUMBER_PROPERTY, "External caller number");
            done.push(self.make_property("contacts", "contactinformation", number).await?);
        }
        Ok(done.join(", "))
    }

    async fn make_property(
        &self,
        of: &str,
        group: &str,
        (name, label): (&str, &str),
    ) -> Result<String, ClientError> {
        let request = self.request(Method::POST, &["properties", of]).json(&json!({
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
            _ => Err(refused(&answer)),
        }
    }

    /// Looks whether calls could be logged, without writing: whether the key may find contacts, and whether the unique
    /// properties are there; returns what it found.
    ///
    /// # Errors
    ///
    /// HubSpot refused or can't be reached, or a property is missing or not unique.
    pub async fn check(&self) -> Result<String, ClientError> {
        self.check_properties("calls").await
    }

    /// The same for tasks.
    ///
    /// # Errors
    ///
    /// Those of [`Self::check`].
    pub async fn check_tasks(&self) -> Result<String, ClientError> {
        self.check_properties("tasks").await
    }

    async fn check_properties(&self, of: &str) -> Result<String, ClientError> {
        let nobody = phonenumber::parse(None, NOBODY).expect("it is a number");
        self.contacts_with(&nobody).await?;
        let mut found = self.check_property(of, CALL_ID_PROPERTY).await?;
        if self.unknown_caller == UnknownCaller::Create {
            found += &self.check_property("contacts", NUMBER_PROPERTY).await?;
        }
        Ok(format!("the key may find contacts{found}"))
    }

    async fn check_property(&self, of: &str, name: &str) -> Result<String, ClientError> {
        let answer = self.vendor.send(self.request(Method::GET, &["properties", of, name])).await?;
        let stop = |reason: &str| Err(ClientError::Stop(format!("{name} {reason}")));
        match answer.status {
            StatusCode::NOT_FOUND => stop("is missing: `aftercall setup` makes it"),
            // Its scope is needed for the set-up alone, and may be taken from the key afterwards.
            StatusCode::FORBIDDEN => Ok(format!("; it may not see whether {name} is there")),
            status if status.is_success() => match answer.json::<Property>() {
                Some(Property { has_unique_value: true }) => Ok(format!(", and {name} is there")),
                _ => stop("is there, but not unique: delete it, and let `aftercall setup` make it anew"),
            },
            _ => Err(refused(&answer)),
        }
    }
}
