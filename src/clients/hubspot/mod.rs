//! HubSpot: logs a call, atomically keyed by `call_id`, beside its contact; asks for a call back.
//!
//! From our event to their properties: `properties`, `outcomes`. Which contact: `contact`, `new_contact`. Its
//! recording: `file`. A task: `task`. What people read: `text`. The rules are those of HubSpot's documentation of the calls,
//! contacts, tasks, search, associations and files APIs.

mod api;
mod contact;
mod file;
mod new_contact;
mod outcomes;
mod properties;
mod setup;
#[cfg(feature = "dev")]
pub mod stand_in;
mod task;
mod text;

use std::num::NonZeroU32;

use reqwest::{Method, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};

use super::logged::Logged;
use engine::{
    call::Call,
    config::ConfigError,
    need,
    vendor::{Budget, ClientError, Vendor},
};

use crate::settings::{Recordings, Settings};

pub use api::HubSpot;
use api::{CALL_ID_PROPERTY, refused};
pub use file::LARGEST_FILE;
use file::RECORDING_PROPERTY;
use outcomes::Outcomes;

/// Five for the whole account, less one for whoever else uses it. (HubSpot's documentation, "Search the CRM".)
const SEARCHES_A_SECOND: NonZeroU32 = NonZeroU32::new(4).expect("it is not 0");

impl HubSpot {
    /// A client as configured.
    ///
    /// # Errors
    ///
    /// `HUBSPOT_TOKEN` is missing, the base URL can't be one, or an outcome is none of HubSpot's.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let token = need!(settings.hubspot_token)?.clone();
        let base_url = &settings.hubspot_base_url;
        if base_url.cannot_be_a_base() {
            return Err(ConfigError::new("HUBSPOT_BASE_URL is no http or https URL"));
        }
        // The tables of the world's numbers take a moment to be read: now, rather than within the first call's time limit.
        let _read = phonenumber::parse(None, setup::NOBODY);
        Ok(Self {
            // 100 in 10 s, less a tenth for whoever else uses the account. (HubSpot's documentation, "Usage guidelines".)
            vendor: Vendor::new("HubSpot").with_requests_a_second(9, base_url),
            searches: Budget::shared("HubSpot's searches", base_url, || {
                Budget::evenly_a_second(SEARCHES_A_SECOND)
            }),
            base_url: base_url.clone(),
            version: settings.hubspot_api_version.clone(),
            token,
            contact_id_property: settings.hubspot_contact_id_property.clone(),
            region: settings.default_region.map(|region| region.0),
            unknown_caller: settings.hubspot_unknown_caller,
            several_contacts: settings.hubspot_several_contacts,
            outcomes: Outcomes::parse(&settings.hubspot_outcomes)?,
            owners: settings.hubspot_owners.clone(),
            properties: settings.hubspot_properties.clone(),
            copies: settings.recordings == Recordings::Copy,
        })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    /// Logs the call, or brings the one that is there up to date, and puts it beside its contact. Safe to repeat.
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached.
    pub async fn log_call(&self, call: &Call) -> Result<Logged, ClientError> {
        let copy = self.copy_of(call).await?;
        let mut properties = json!(self.properties_of(call));
        if let Some(copy) = &copy {
            properties[RECORDING_PROPERTY] = json!(copy);
        }
        let upserted = self.upsert("calls", (CALL_ID_PROPERTY, &call.call_id), &properties).await?;
        let found = self.find_contact(call).await?;
        if let Some(contact) = &found.id {
            self.associate("calls", &upserted.id, contact).await?;
        }
        Ok(Logged { id: upserted.id, url: upserted.url, note: found.note, has_recording: copy.is_some() })
    }

    /// Makes the record of this type whose unique property has this value, or changes the one that is there.
    async fn upsert(
        &self,
        of: &str,
        (property, id): (&str, &str),
        properties: &Value,
    ) -> Result<Upserted, ClientError> {
        let input = json!({ "idProperty": property, "id": id, "properties": properties });
        let request = self.request(Method::POST, &["objects", of, "batch", "upsert"]);
        let answer = self.ask(request.json(&json!({ "inputs": [input] }))).await?;
        // 207 is a success with errors inside, an error for each input that failed.
        match answer.json::<Batch>() {
            Some(batch) if !batch.results.is_empty() => {
                Ok(batch.results.into_iter().next().expect("it is not empty"))
            }
            Some(batch) if !batch.errors.is_empty() => Err(refused(&answer)),
            _ => Err(ClientError::retry(format!("HubSpot answered {} without the record", answer.status))),
        }
    }

    /// (HubSpot's documentation, "Associate records with default label": repeating it changes nothing.)
    async fn associate(&self, of: &str, id: &str, contact: &str) -> Result<(), ClientError> {
        let path = ["objects", of, id, "associations", "default", "contacts", contact];
        self.ask(self.request(Method::PUT, &path).header(CONTENT_TYPE, "application/json")).await.map(drop)
    }
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    results: Vec<Upserted>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Upserted {
    id: String,
    url: Option<String>,
}
