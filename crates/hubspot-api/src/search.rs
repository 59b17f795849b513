//! Contacts that are found by what their properties hold. It lags behind what was just made.

use std::time::Duration;

use engine::vendor::ClientError;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::Api,
    error::{success, unreadable},
    record::Record,
};

/// The search's limit is counted by the second, and its 429 says nothing of when to come back. (Documentation, "Search the
/// CRM".)
const PAUSE: Duration = Duration::from_secs(1);

/// What was found.
pub struct Page {
    /// How many there are.
    pub total: u64,
    /// HubSpot's id of the one that was made first.
    pub oldest: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    total: u64,
    results: Vec<Record>,
}

impl Api {
    /// Contacts of which a property holds the value beside it. A search has a limit of its own beside that of all requests: what
    /// it refuses holds back searches alone.
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached; [`ClientError::Limited`] where it takes no more searches for now.
    pub async fn contacts(&self, any_of: &[(&str, &str)]) -> Result<Page, ClientError> {
        let groups: Vec<Value> = any_of.iter().map(|(property, value)| equal(property, value)).collect();
        let request = self.crm(Method::POST, &["objects", "contacts", "search"]).json(&json!({
            "filterGroups": groups,
            "properties": ["hs_object_id"],
            // The same one at every try: the oldest.
            "sorts": ["createdate"],
            "limit": 2,
            "after": "0",
        }));
        let answer = self.vendor.send_within(&self.searches, request).await?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            let after = answer.retry_after.unwrap_or(PAUSE);
            self.searches.exceeded(after);
            let reason = "HubSpot takes no more searches for now".to_owned();
            return Err(ClientError::Limited { reason, after });
        }
        let Found { total, results } = success(answer, self.unique)?.json().ok_or_else(unreadable)?;
        Ok(Page { total, oldest: results.into_iter().next().map(|record| record.id) })
    }
}

fn equal(property: &str, value: &str) -> Value {
    json!({ "filters": [{ "propertyName": property, "operator": "EQ", "value": value }] })
}
