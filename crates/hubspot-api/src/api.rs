//! How HubSpot is spoken to: its paths, its key, its limits.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use engine::{
    config::ConfigError,
    need,
    vendor::{Answer, Budget, ClientError, Vendor},
};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::{error::success, settings::Settings};

/// Five for the whole account, less one for whoever else uses it. (HubSpot's documentation, "Search the CRM".)
const SEARCHES_A_SECOND: NonZeroU32 = NonZeroU32::new(4).expect("it is not 0");

/// HubSpot's API under one service key.
pub struct Api {
    pub(crate) vendor: Vendor,
    pub(crate) searches: Arc<Budget>,
    base_url: Url,
    version: String,
    token: SecretString,
    pub(crate) unique: &'static [&'static str],
}

impl Api {
    /// The API as configured. Errors name the properties of this program that are `unique`, and say that `setup` makes them.
    ///
    /// # Errors
    ///
    /// `HUBSPOT_TOKEN` is missing, or the base URL can't be one.
    pub fn new(settings: &Settings, unique: &'static [&'static str]) -> Result<Self, ConfigError> {
        let token = need!(settings.hubspot_token)?.clone();
        let base_url = &settings.hubspot_base_url;
        if base_url.cannot_be_a_base() {
            return Err(ConfigError::new("HUBSPOT_BASE_URL is no http or https URL"));
        }
        Ok(Self {
            // 100 in 10 s, less a tenth for whoever else uses the account. (HubSpot's documentation, "Usage guidelines".)
            vendor: Vendor::new("HubSpot").with_limit(90, Duration::from_secs(10), base_url),
            searches: Budget::shared("HubSpot's searches", base_url, || {
                Budget::new(SEARCHES_A_SECOND, Duration::from_secs(1))
            }),
            base_url: base_url.clone(),
            version: settings.hubspot_api_version.clone(),
            token,
            unique,
        })
    }

    /// The origin that receipts name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    /// A request to `/crm/{api}/{version}/{rest}`.
    pub(crate) fn crm(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let (api, rest) = path.split_first().expect("a path names its API");
        self.at(method, &["crm", api], rest)
    }

    /// A request to `/{api}/{version}/{rest}`.
    pub(crate) fn at(&self, method: Method, api: &[&str], rest: &[&str]) -> RequestBuilder {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .expect("a base URL has a path")
            .pop_if_empty()
            .extend(api)
            .push(&self.version)
            .extend(rest);
        self.vendor.request(method, url).bearer_auth(self.token.expose_secret())
    }

    /// Sends it; anything but a 2xx is an error.
    pub(crate) async fn ask(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        success(self.vendor.send(request).await?, self.unique)
    }
}
