//! Records, which are contacts, calls and tasks: made once under a unique property, found again by it, put beside each other.

use engine::vendor::ClientError;
use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::Api,
    error::{refused, success, unreadable},
};

/// A record that was made or changed.
#[derive(Deserialize)]
pub struct Upserted {
    /// HubSpot's own id of it.
    pub id: String,
    /// Its page, where the answer names it.
    pub url: Option<String>,
}

/// A record that was found.
#[derive(Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    #[serde(default)]
    properties: Value,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    results: Vec<Upserted>,
    #[serde(default)]
    errors: Vec<Value>,
}

impl Api {
    /// The id of the record of this type that has this id, HubSpot's own or that of a unique property; none where there is none,
    /// or where the id can't be asked for.
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached.
    pub async fn find(
        &self,
        of: &str,
        property: Option<&str>,
        id: &str,
    ) -> Result<Option<String>, ClientError> {
        Ok(self.record(of, property, id, None).await?.map(|record| record.id))
    }

    /// What a property of such a record holds.
    ///
    /// # Errors
    ///
    /// Those of [`Self::find`].
    pub async fn value(
        &self,
        of: &str,
        (property, id): (&str, &str),
        name: &str,
    ) -> Result<Option<String>, ClientError> {
        let record = self.record(of, Some(property), id, Some(name)).await?;
        Ok(record.and_then(|record| record.properties[name].as_str().map(str::to_owned)))
    }

    async fn record(
        &self,
        of: &str,
        property: Option<&str>,
        id: &str,
        with: Option<&str>,
    ) -> Result<Option<Record>, ClientError> {
        if !is_segment(id) {
            return Ok(None);
        }
        let by = property.map(|property| ("idProperty", property));
        let query: Vec<_> = by.into_iter().chain(with.map(|name| ("properties", name))).collect();
        let answer = self.vendor.send(self.crm(Method::GET, &["objects", of, id]).query(&query)).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            // HubSpot's own ids are numbers; any other text is a malformed request to it, not a missing record.
            StatusCode::BAD_REQUEST if property.is_none() => Ok(None),
            _ => success(answer, self.unique)?.json().map(Some).ok_or_else(unreadable),
        }
    }

    /// Makes the record of this type whose unique property has this value, or changes the one that is there. Safe to repeat.
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached.
    pub async fn upsert(
        &self,
        of: &str,
        (property, id): (&str, &str),
        properties: &Value,
    ) -> Result<Upserted, ClientError> {
        let input = json!({ "idProperty": property, "id": id, "properties": properties });
        let request = self.crm(Method::POST, &["objects", of, "batch", "upsert"]);
        let answer = self.ask(request.json(&json!({ "inputs": [input] }))).await?;
        // 207 is a success with errors inside, an error for each input that failed.
        let Batch { mut results, errors } = answer.json().ok_or_else(unreadable)?;
        match results.pop() {
            Some(upserted) => Ok(upserted),
            None if !errors.is_empty() => Err(refused(&answer, self.unique)),
            None => Err(ClientError::retry(format!("HubSpot answered {} without the record", answer.status))),
        }
    }

    /// Puts a record beside a contact. (Documentation, "Associate records with default label": repeating it changes nothing.)
    ///
    /// # Errors
    ///
    /// HubSpot refused, or can't be reached.
    pub async fn associate(&self, of: &str, id: &str, contact: &str) -> Result<(), ClientError> {
        let path = ["objects", of, id, "associations", "default", "contacts", contact];
        self.ask(self.crm(Method::PUT, &path).header(CONTENT_TYPE, "application/json")).await.map(drop)
    }
}

/// Whether a text can be one segment of a path: by the URL standard tabs and line breaks vanish, and `.` and `..` lead
/// elsewhere. What can't names nobody.
fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::is_segment;

    #[test]
    fn what_leads_elsewhere_in_a_path_is_no_segment() {
        for text in ["ACME-4451", "101", "a b", "100%", "%2e%2e", "...", "Müller", "a?b#c", "acct/123"] {
            assert!(is_segment(text), "{text:?}");
        }
        for text in ["", ".", "..", ".\t.", "a\nb", "a\u{7f}"] {
            assert!(!is_segment(text), "{text:?}");
        }
    }
}
