//! The telephone platform: its API for webhooks, and the calls that it tells of.
//!
//! - `refusal`: the error bodies
//! - `schemas`: what a request may say of a webhook
//! - `asked`: what it says
//! - `api`: making, showing and changing webhooks
//! - `deliveries`: a call that has ended, to the webhooks that want it
//!
//! "Documentation" is the platform's own page of the after-call webhook. Where it is silent, this is strict: what is not shown
//! there is refused.

mod api;
mod asked;
mod deliveries;
mod refusal;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

pub use asked::Auth;
pub use deliveries::Delivery;

use crate::kept::{File, Kept};
use crate::lock;
use crate::refusal::Refusal;
use crate::vendor::{Listing, Vendor};

/// How the platform is set up.
#[derive(Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// The key of the platform's API; `stand-in-key` by default
    #[arg(long = "platform-api-key", env = "STAND_IN_PLATFORM_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// A key of its API that may look and change nothing; `stand-in-reader` by default
    #[arg(long = "platform-reader-key", env = "STAND_IN_PLATFORM_READER_KEY", hide_env_values = true)]
    pub reader_key: String,
    /// The wait before a delivery's first retry, which each further one doubles; 1 s by default. The documentation has no
    /// number.
    #[arg(skip)]
    pub retry_first: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api_key: "stand-in-key".into(),
            reader_key: "stand-in-reader".into(),
            retry_first: Duration::from_secs(1),
        }
    }
}

/// A webhook, with its secret.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Webhook {
    /// `wb_123`.
    pub id: String,
    /// Where it delivers.
    pub url: String,
    /// What it shows there.
    pub auth: Auth,
    /// Which calls it tells of, by their status.
    pub events: Vec<String>,
}

/// The webhooks, in the order in which they were made.
#[derive(Default, Deserialize, Serialize)]
struct Account {
    webhooks: Vec<Webhook>,
}

/// The platform, as its API and the tests see it.
#[derive(Clone)]
pub struct Platform {
    account: Arc<Kept<Account>>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    http: reqwest::Client,
    options: Arc<Options>,
}

impl Platform {
    pub(crate) fn open(options: Options, file: &Arc<File>) -> io::Result<Self> {
        let account = file.account("platform")?.unwrap_or_default();
        Ok(Self {
            account: Arc::new(Kept::new(account, "platform", file)?),
            deliveries: Arc::default(),
            http: deliveries::client(),
            options: Arc::new(options),
        })
    }

    /// The webhooks with their secrets, in the order in which they were made.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.account.read(|account| account.webhooks.clone())
    }

    /// Each try of a delivery with its answer, in the order of the answers.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.deliveries).clone()
    }
}

impl Vendor for Platform {
    fn name(&self) -> &'static str {
        "the telephone platform"
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/v1/webhooks"]
    }

    fn router(&self) -> Router {
        let not_found = async || refusal::not_found();
        Router::new()
            .route("/v1/webhooks", get(api::list).post(api::create))
            .route("/v1/webhooks/{id}", get(api::read).patch(api::change))
            .method_not_allowed_fallback(not_found)
            .fallback(not_found)
            .layer(from_fn_with_state(self.clone(), api::admit))
            .with_state(self.clone())
    }

    fn listings(&self) -> Vec<Listing> {
        let webhooks: Vec<_> = self.webhooks().iter().map(api::shown).collect();
        vec![Listing::of("webhooks", &webhooks), Listing::of("deliveries", &self.deliveries())]
    }

    fn failure(&self, _: &str, status: StatusCode) -> Refusal {
        refusal::injected(status)
    }

    fn controls(&self) -> Router {
        Router::new().route("/stand-in/place-call", post(deliveries::asked)).with_state(self.clone())
    }
}
