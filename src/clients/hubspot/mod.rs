//! HubSpot: logs a call, keyed by `call_id`, beside its contact; asks for a call back. Its API is [`hubspot_api`].
//!
//! From our event to its properties: `properties`, `outcomes`. Which contact: `contact`. Its recording: `recording`. A task:
//! `task`. What people read: `text`. What must be there once: `setup`.

mod contact;
mod outcomes;
mod properties;
mod recording;
pub mod settings;
mod setup;
#[cfg(feature = "dev")]
pub mod stand_in;
mod task;
mod text;

use phonenumber::country;
use serde_json::json;

use engine::{
    call::Call,
    config::{ConfigError, Pairs},
    vendor::ClientError,
};
use hubspot_api::Api;

use super::logged::Logged;
use crate::settings::{Recordings, Settings};
use outcomes::Outcomes;
use recording::RECORDING;
use settings::{SeveralContacts, UnknownCaller};
use setup::CALL_ID;

pub use hubspot_api::LARGEST_FILE;

/// HubSpot, as calls are kept there.
pub struct HubSpot {
    api: Api,
    contact_id_property: Option<String>,
    region: Option<country::Id>,
    unknown_caller: UnknownCaller,
    several_contacts: SeveralContacts,
    outcomes: Outcomes,
    owners: Pairs,
    properties: Pairs,
    /// Whether calls may have their recordings themselves.
    copies: bool,
}

impl HubSpot {
    /// A client as configured.
    ///
    /// # Errors
    ///
    /// Those of [`Api::new`], or an outcome is none of HubSpot's.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let hubspot = &settings.hubspot;
        let api = Api::new(&hubspot.api, setup::UNIQUE)?;
        // The tables of the world's numbers take a moment to be read: now, rather than within the first call's time limit.
        let _read = phonenumber::parse(None, setup::NOBODY);
        Ok(Self {
            api,
            contact_id_property: hubspot.hubspot_contact_id_property.clone(),
            region: settings.default_region.map(|region| region.0),
            unknown_caller: hubspot.hubspot_unknown_caller,
            several_contacts: hubspot.hubspot_several_contacts,
            outcomes: Outcomes::parse(&hubspot.hubspot_outcomes)?,
            owners: hubspot.hubspot_owners.clone(),
            properties: hubspot.hubspot_properties.clone(),
            copies: settings.recordings == Recordings::Copy,
        })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.api.origin()
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
            properties[RECORDING] = json!(copy);
        }
        let upserted = self.api.upsert("calls", (CALL_ID, &call.call_id), &properties).await?;
        let contact = self.find_contact(call).await?;
        if let Some(contact) = &contact.id {
            self.api.associate("calls", &upserted.id, contact).await?;
        }
        Ok(Logged { id: upserted.id, url: upserted.url, note: contact.note, has_recording: copy.is_some() })
    }
}
