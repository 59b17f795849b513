//! HubSpot: its routes, its rules and its account.
//!
//! - [`gate`]: the key, and the rolling rate limit
//! - [`refusal`]: the error bodies
//! - [`account`]: the calls, contacts and properties
//! - [`properties`]: which properties there are, and how one is created
//! - [`values`]: which values a property takes
//! - [`calls`]: the upsert, and the association with a contact
//! - [`contacts`]: a contact by its id
//! - [`search`]: contacts by what is known of them
//!
//! Each rule names where it comes from. "Published description" is HubSpot's own `OpenAPI` file for 2026-09
//! (`HubSpot/HubSpot-public-api-spec-collection` on GitHub), "guide" the page of that name on
//! developers.hubspot.com, "observed" an answer of the real service that others have quoted in public.

mod account;
mod calls;
mod contacts;
mod gate;
mod properties;
mod refusal;
mod search;
mod values;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};

pub use account::{Call, Contact};
pub(crate) use refusal::Refusal;

use crate::kept::{File, Kept, Part};
use crate::limit::{RateLimit, Window};
use account::Account;
use gate::Gate;

/// A HubSpot account, as the API and the tests see it.
#[derive(Clone)]
pub struct HubSpot {
    account: Arc<Kept<Account>>,
    searches: Arc<Window>,
}

impl HubSpot {
    pub(crate) fn open(
        file: Arc<File>,
        unique_property: bool,
        search_limit: Option<RateLimit>,
    ) -> io::Result<Self> {
        let mut account = file.account(Part::HubSpot)?.unwrap_or_else(Account::sample);
        account.index();
        if unique_property {
            account.add_external_call_id();
        }
        let account = Arc::new(Kept::new(account, Part::HubSpot, file));
        Ok(Self { account, searches: Arc::new(Window::new(search_limit)) })
    }

    /// Keeps the account as it is.
    pub(crate) fn keep(&self) -> io::Result<()> {
        self.account.keep()
    }

    /// Every route of the API that is played; the version in the path may be any.
    pub(crate) fn router(&self, token: &str, rate_limit: Option<RateLimit>) -> Router {
        Router::new()
            .route("/crm/objects/{version}/calls/batch/upsert", post(calls::upsert))
            .route(
                "/crm/objects/{version}/calls/{id}/associations/default/contacts/{contact}",
                put(calls::associate),
            )
            .route("/crm/objects/{version}/contacts/search", post(search::search))
            .route("/crm/objects/{version}/contacts/{id}", get(contacts::read))
            .route("/crm/properties/{version}/{object_type}", post(properties::create))
            .route("/crm/properties/{version}/{object_type}/{name}", get(properties::read))
            .method_not_allowed_fallback(async || Refusal::no_such_route())
            .fallback(async || Refusal::no_such_route())
            .layer(from_fn_with_state(Arc::new(Gate::new(token, rate_limit)), gate::admit))
            .with_state(self.clone())
    }

    /// The calls, in the order in which they were created.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.read(|account| account.calls.values().cloned().collect())
    }

    /// The contacts, in the order of their ids.
    #[must_use]
    pub fn contacts(&self) -> Vec<Contact> {
        self.read(|account| account.contacts.values().cloned().collect())
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
        self.read(|account| account.property(properties::ObjectType::Calls, name).is_some())
    }

    fn read<T>(&self, look: impl FnOnce(&Account) -> T) -> T {
        self.account.read(look)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Account) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.account.change(change)
    }
}
