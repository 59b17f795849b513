//! How HubSpot is spoken to: its paths, its key, its errors.

use std::{collections::BTreeSet, sync::Arc};

use phonenumber::country;
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{contact::is_segment, outcomes::Outcomes};
use crate::settings::{SeveralContacts, UnknownCaller};
use engine::{
    config::Pairs,
    vendor::{Answer, Budget, ClientError, Vendor, code},
};

/// The unique property of calls that holds the platform's `call_id`; `aftercall setup` makes it.
pub(super) const CALL_ID_PROPERTY: &str = "external_call_id";

/// The unique property of contacts that holds the number of a caller for whom one was made; `aftercall setup` makes it.
pub(super) const NUMBER_PROPERTY: &str = "external_caller_number";

/// HubSpot's API under one service key.
pub struct HubSpot {
    pub(super) vendor: Vendor,
    pub(super) searches: Arc<Budget>,
    pub(super) base_url: Url,
    pub(super) version: String,
    pub(super) token: SecretString,
    pub(super) contact_id_property: Option<String>,
    pub(super) region: Option<country::Id>,
    pub(super) unknown_caller: UnknownCaller,
    pub(super) several_contacts: SeveralContacts,
    pub(super) outcomes: Outcomes,
    pub(super) owners: Pairs,
    pub(super) properties: Pairs,
    /// Whether calls may have their recordings themselves.
    pub(super) copies: bool,
}

impl HubSpot {
    /// A request to `/crm/{api}/{version}/{rest}`.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let (api, rest) = path.split_first().expect("a path names its API");
        self.at(method, &["crm", api], rest)
    }

    /// A request to `/{api}/{version}/{rest}`.
    pub(super) fn at(&self, method: Method, api: &[&str], rest: &[&str]) -> RequestBuilder {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .expect("a base URL has a path")
            .pop_if_empty()
            .extend(api)
            .push(&self.version)
            .extend(rest);
        self.vendor.request(method, url).bearer_auth(self.token.expose_secret())
    }

    /// The id of the record of this type that has this id, HubSpot's own or that of a unique property; none where there is none,
    /// or where the id can't be asked for.
    pub(super) async fn record(
        &self,
        of: &str,
        property: Option<&str>,
        id: &str,
    ) -> Result<Option<String>, ClientError> {
        if !is_segment(id) {
            return Ok(None);
        }
        let by = property.map(|property| [("idProperty", property)]);
        let request = self.request(Method::GET, &["objects", of, id]).query(&by);
        let answer = self.vendor.send(request).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            // HubSpot's own ids are numbers; any other text is a malformed request to it, not a missing record.
            StatusCode::BAD_REQUEST if property.is_none() => Ok(None),
            status if status.is_success() => {
                answer.json::<Record>().map(|record| Some(record.id)).ok_or_else(unreadable)
            }
            _ => Err(refused(&answer)),
        }
    }

    /// Sends it; anything but a 2xx is an error.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        success(self.vendor.send(request).await?)
    }
}

pub(super) fn success(answer: Answer) -> Result<Answer, ClientError> {
    if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
}

/// What HubSpot's error means, with what to do about it.
pub(super) fn refused(answer: &Answer) -> ClientError {
    let Refusal { message, category, errors } = answer.json().unwrap_or_default();
    // Its message is read for what to do, and not kept: it quotes what it refuses.
    let message = message.or_else(|| errors.into_iter().find_map(|error| error.message)).unwrap_or_default();
    let category = category.as_deref().and_then(code).map(|category| format!(" {category}"));
    let properties = named_in(&message);
    let properties = if properties.is_empty() { properties } else { format!(" about {properties}") };
    let reason =
        format!("HubSpot answered {}{}{properties}", answer.status.as_u16(), category.unwrap_or_default());
    let hint = match answer.status.as_u16() {
        400 if [CALL_ID_PROPERTY, NUMBER_PROPERTY].iter().any(|ours| message.contains(ours)) => {
            " (run `aftercall setup` once: it makes this property)"
        }
        400 if message.contains("does not exist") || message.contains("PROPERTY_DOESNT_EXIST") => {
            " (do the properties named in HUBSPOT_PROPERTIES exist there?)"
        }
        401 => " (is HUBSPOT_TOKEN right, and not revoked?)",
        403 => {
            " (has the service key the scopes crm.objects.contacts.read and .write, and files for RECORDINGS=copy?)"
        }
        _ => "",
    };
    answer.refusal(format!("{reason}{hint}"))
}

/// The standard properties of a call that a text names, comma separated.
fn named_in(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    let named: BTreeSet<_> = words
        .filter(|word| word.starts_with("hs_") || [CALL_ID_PROPERTY, NUMBER_PROPERTY].contains(word))
        .collect();
    named.into_iter().take(5).collect::<Vec<_>>().join(", ")
}

/// What is no answer of HubSpot's must not pass for one that found nobody.
pub(super) fn unreadable() -> ClientError {
    ClientError::retry("HubSpot's answer is not of the documented form")
}

/// A contact, a call, a task.
#[derive(Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
}

/// HubSpot's error; every field is optional.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: Option<String>,
    category: Option<String>,
    errors: Vec<RefusedItem>,
}

#[derive(Deserialize)]
struct RefusedItem {
    message: Option<String>,
}
