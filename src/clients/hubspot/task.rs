//! A task to call somebody back, made once for a call. (HubSpot's documentation, "Tasks".)

use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;

use engine::{call::Call, vendor::ClientError};

use super::{HubSpot, setup::CALL_ID, text};
use crate::clients::{caller, logged::Logged};

impl HubSpot {
    /// Makes the task, due so long after the call's end, unless it was made before; safe to repeat.
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached.
    pub async fn ask_for_call_back(&self, call: &Call, within: Duration) -> Result<Logged, ClientError> {
        // An upsert would open again what somebody has done.
        let made = self.api.find("tasks", Some(CALL_ID), &call.call_id).await?;
        let task = match made {
            Some(id) => id,
            None => self.make_task(call, within).await?,
        };
        let found = self.find_contact(call).await?;
        if let Some(contact) = &found.id {
            self.api.associate("tasks", &task, contact).await?;
        }
        Ok(Logged { id: task, url: None, note: found.note, has_recording: false })
    }

    async fn make_task(&self, call: &Call, within: Duration) -> Result<String, ClientError> {
        let end = call.ended_at.or(call.occurred_at).unwrap_or(call.received_at);
        let due =
            TimeDelta::from_std(within).ok().and_then(|within| end.checked_add_signed(within)).unwrap_or(end);
        let number = caller::number(call, self.region).map(|number| caller::readable(&number));
        let who = number.as_deref().or(call.other_party());
        let mut properties = json!({
            CALL_ID: call.call_id,
            "hs_timestamp": due.to_rfc3339_opts(SecondsFormat::Millis, true),
            "hs_task_subject": text::task_title(who),
            "hs_task_body": text::task_body(call),
            "hs_task_type": "CALL",
            "hs_task_status": "NOT_STARTED",
        });
        if let Some(owner) = self.owner(call) {
            properties["hubspot_owner_id"] = json!(owner);
        }
        Ok(self.api.upsert("tasks", (CALL_ID, &call.call_id), &properties).await?.id)
    }
}
