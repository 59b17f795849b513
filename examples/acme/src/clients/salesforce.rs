//! Salesforce: a call is a task, made or brought up to date under our id for it. (Salesforce's documentation, "Insert or Update
//! (Upsert) a Record Using an External ID": the field `Call_Id__c` is an external id, and unique.)

use engine::{
    call::{Call, Direction},
    config::{ConfigError, Secret},
    need,
    vendor::{Answer, ClientError, Vendor},
};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use crate::settings::Settings;

/// Salesforce under one token.
pub struct Salesforce {
    vendor: Vendor,
    url: Url,
    version: String,
    token: Secret,
}

impl Salesforce {
    /// A client as configured.
    ///
    /// # Errors
    ///
    /// A setting is missing.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            vendor: Vendor::new("Salesforce"),
            url: need!(settings.salesforce_url)?.clone(),
            version: settings.salesforce_api_version.clone(),
            token: need!(settings.salesforce_token)?.clone(),
        })
    }

    /// The origin that receipts name.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Logs the call, and returns the task's id. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Salesforce refused, or can't be reached.
    pub async fn log(&self, call: &Call) -> Result<String, ClientError> {
        #[derive(Deserialize)]
        struct Saved {
            id: String,
        }
        let kind = if call.direction == Some(Direction::Outbound) { "Outbound" } else { "Inbound" };
        let status = call.status.as_ref().map_or("ended", AsRef::as_ref);
        let task = json!({
            "Subject": format!("{kind} call, {status}"),
            "Status": "Completed",
            "TaskSubtype": "Call",
            "CallType": kind,
            "CallDurationInSeconds": call.duration_seconds,
            "CallDisposition": status,
            "ActivityDate": call.ended_at.map(|time| time.date_naive()),
            "Description": call.notes,
            "Recording_Url__c": call.recording(),
        });
        let request = self.request(Method::PATCH, &["sobjects", "Task", "Call_Id__c", &call.call_id]);
        let answer = self.ask(request.json(&task)).await?;
        let saved: Option<Saved> = answer.json();
        let missing = || ClientError::retry(format!("Salesforce answered {} without an id", answer.status));
        saved.map(|saved| saved.id).ok_or_else(missing)
    }

    /// Asks for the limits, which every token may see.
    ///
    /// # Errors
    ///
    /// Salesforce refused, or can't be reached.
    pub async fn check(&self) -> Result<String, ClientError> {
        self.ask(self.request(Method::GET, &["limits"])).await?;
        Ok("the token is in force".to_owned())
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["services", "data", &self.version]).extend(path);
        }
        self.vendor.request(method, url).bearer_auth(self.token.expose_secret())
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        self.vendor.send(request).await?.success()
    }
}
