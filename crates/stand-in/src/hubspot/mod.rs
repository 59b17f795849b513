//! HubSpot: its routes, its rules and its account.
//!
//! - `schemas`: what a request may say
//! - `refusal`: the error bodies
//! - `account`: the calls, contacts, tasks and properties
//! - `properties`: which properties there are, and how one is created
//! - `values`: which values a property takes
//! - `upsert`: records of any type, and the association with a contact
//! - `records`: a record by its id
//! - `contacts`: what is shown of a record, and calculated of a contact
//! - `search`: contacts by what is known of them
//! - `files`: the upload of a file
//!
//! Each rule names where it comes from. "Published description" is HubSpot's own `OpenAPI` file for 2026-09
//! (`HubSpot/HubSpot-public-api-spec-collection` on GitHub), "guide" the page of that name on
//! developers.hubspot.com, "observed" an answer of the real service that others have quoted in public.

mod account;
mod contacts;
mod files;
mod properties;
mod records;
mod refusal;
mod search;
mod upsert;
mod values;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post, put};

pub use account::Record;
pub use files::File;

use crate::kept::{self, Kept};
use crate::limit::{RateLimit, Window};
use crate::refusal::Refusal;
use crate::vendor::{Listing, Vendor};
use account::Account;
use properties::ObjectType;

/// The vendor's own rolling limit: 100 requests in 10 seconds (usage guidelines; 190 on paid tiers).
pub const RATE_LIMIT: RateLimit = RateLimit { requests: 100, window: Duration::from_secs(10) };

/// The vendor's own limit for searches: 5 a second and account (search guide).
pub const SEARCH_LIMIT: RateLimit = RateLimit { requests: 5, window: Duration::from_secs(1) };

/// How the account is set up.
#[derive(Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// The only bearer token that HubSpot accepts; `stand-in` by default
    #[arg(long, env = "STAND_IN_TOKEN", hide_env_values = true)]
    pub token: String,
    /// Start without the unique call property `external_call_id`, as a new HubSpot account does
    #[arg(long, env = "STAND_IN_WITHOUT_PROPERTY")]
    pub without_property: bool,
    /// Answer as if the key lacked the scope `files`
    #[arg(long, env = "STAND_IN_WITHOUT_FILES")]
    pub without_files: bool,
    /// Answer 429 to more requests than this in ten seconds (HubSpot's own limit: 100); no limit by default
    #[arg(long, env = "STAND_IN_RATE_LIMIT", value_name = "REQUESTS", value_parser = |n: &str| RATE_LIMIT.parse(n))]
    pub rate_limit: Option<RateLimit>,
    /// Answer 429 to more searches than this in a second; HubSpot's own limit of 5 by default
    #[arg(long, env = "STAND_IN_SEARCH_LIMIT", value_name = "SEARCHES", value_parser = |n: &str| SEARCH_LIMIT.parse(n))]
    pub search_limit: Option<RateLimit>,
}

impl Default for Options {
    fn default() -> Self {
        let token = "stand-in".into();
        Self {
            token,
            without_property: false,
            without_files: false,
            rate_limit: None,
            search_limit: Some(SEARCH_LIMIT),
        }
    }
}

/// A HubSpot account, as the API and the tests see it.
#[derive(Clone)]
pub struct HubSpot {
    account: Arc<Kept<Account>>,
    bearer: Arc<str>,
    requests: Arc<Window>,
    searches: Arc<Window>,
    without_files: bool,
}

impl HubSpot {
    pub(crate) fn open(options: Options, file: &Arc<kept::File>) -> io::Result<Self> {
        let Options { token, without_property, without_files, rate_limit, search_limit } = options;
        let mut account = file.account("hubspot")?.unwrap_or_else(Account::sample).indexed();
        if !without_property {
            account.add_external_call_ids();
        }
        Ok(Self {
            account: Arc::new(Kept::new(account, "hubspot", file)?),
            bearer: format!("Bearer {token}").into(),
            requests: Arc::new(Window::new(rate_limit)),
            searches: Arc::new(Window::new(search_limit)),
            without_files,
        })
    }

    /// The calls, in the order in which they were created.
    #[must_use]
    pub fn calls(&self) -> Vec<Record> {
        self.account.read(Account::calls_with_files)
    }

    /// The files, in the order in which they were uploaded.
    #[must_use]
    pub fn files(&self) -> Vec<File> {
        self.account.read(|account| account.files.values().cloned().collect())
    }

    /// The contacts, in the order of their ids.
    #[must_use]
    pub fn contacts(&self) -> Vec<Record> {
        self.account.read(|account| account.contacts.values().cloned().collect())
    }

    /// The tasks, in the order in which they were created.
    #[must_use]
    pub fn tasks(&self) -> Vec<Record> {
        self.account.read(|account| account.tasks.values().cloned().collect())
    }

    /// Adds a contact with these properties and returns its id; properties that are new become known.
    pub fn add_contact<N: Into<String>, V: Into<String>>(
        &self,
        properties: impl IntoIterator<Item = (N, V)>,
    ) -> String {
        let properties = properties.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let Ok(id) = self.account.change(|account| Ok::<_, Infallible>(account.add_contact(properties)));
        id
    }

    /// Whether calls have a property of this name.
    #[must_use]
    pub fn has_call_property(&self, name: &str) -> bool {
        self.account.read(|account| account.property(ObjectType::Calls, name).is_some())
    }
}

impl Vendor for HubSpot {
    fn name(&self) -> &'static str {
        "HubSpot"
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/crm/", "/files/"]
    }

    fn takes_files(&self, path: &str) -> bool {
        path.starts_with("/files/")
    }

    /// The version in a path may be any.
    fn router(&self) -> Router {
        let no_such_route = async || refusal::no_such_route();
        Router::new()
            .route("/crm/objects/{version}/{object_type}/batch/upsert", post(upsert::upsert))
            .route(
                "/crm/objects/{version}/{object_type}/{id}/associations/default/contacts/{contact}",
                put(upsert::associate),
            )
            .route("/crm/objects/{version}/{object_type}/{id}", get(records::read).delete(records::delete))
            .route("/crm/objects/{version}/contacts", post(records::create_contact))
            .route("/crm/objects/{version}/contacts/search", post(search::search))
            .route("/crm/properties/{version}/{object_type}", post(properties::create))
            .route("/crm/properties/{version}/{object_type}/{name}", get(properties::read))
            .route("/files/{version}/files", post(files::upload).layer(DefaultBodyLimit::disable()))
            .method_not_allowed_fallback(no_such_route)
            .fallback(no_such_route)
            .layer(from_fn_with_state(self.clone(), admit))
            .with_state(self.clone())
    }

    fn listings(&self) -> Vec<Listing> {
        vec![
            Listing::of("calls", &self.calls()),
            Listing::of("contacts", &self.contacts()),
            Listing::of("tasks", &self.tasks()),
            Listing::of("files", &self.files()),
        ]
    }

    fn failure(&self, _: &str, status: StatusCode) -> Refusal {
        refusal::injected(status)
    }
}

/// What a request must pass before it is looked at: the key, then the rolling rate limit.
///
/// The limit is per app (usage guidelines), so whoever is not known to be one is turned away first.
async fn admit(State(hubspot): State<HubSpot>, request: Request, next: Next) -> Result<Response, Refusal> {
    let sent = request.headers().get(AUTHORIZATION);
    if sent.is_none_or(|sent| sent.as_bytes() != hubspot.bearer.as_bytes()) {
        return Err(refusal::unauthorized());
    }
    hubspot.requests.admit().map_err(|_| refusal::rate_limited())?;
    Ok(next.run(request).await)
}
