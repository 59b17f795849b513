//! Zendesk: its routes, its rules and its account.
//!
//! - `tokens`: the client credentials, and the tokens that they buy
//! - `refusal`: the error bodies
//! - `schemas`: what a request may say
//! - `attributes`: what it says
//! - `ticket`: a ticket, and how the API shows it
//! - `account`: the tickets together, and what changes them
//! - `tickets`: reading, finding, changing and creating a ticket
//! - `comments`: written and voice comments, and their list
//! - `uploads`: files for comments
//! - `users`: callers
//! - `paging`: lists in pages
//!
//! Each rule names where it comes from: "reference" and "guide" are the pages of that name on
//! developer.zendesk.com, "idempotency section" is the one in the introduction to the ticketing reference,
//! "observed" an answer of the real service that others have quoted in public.

mod account;
mod attributes;
mod comments;
mod paging;
mod refusal;
mod ticket;
mod tickets;
mod tokens;
mod uploads;
mod users;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use chrono::TimeDelta;
use serde_json::json;

pub use comments::{Comment, VoiceComment};
pub use ticket::{Status, Ticket};
pub use uploads::Attachment;
pub use users::User;

use crate::kept::{File, Kept};
use crate::limit::{RateLimit, Window};
use crate::refusal::Refusal;
use crate::vendor::{Listing, Vendor};
use account::{AGENT, Account};
use attributes::Attributes;
use comments::NewComment;
use tokens::Tokens;
use uploads::Uploads;

/// The vendor's own rolling limit for updates of tickets: 100 a minute and account (rate limits reference).
pub const UPDATE_LIMIT: RateLimit = RateLimit { requests: 100, window: Duration::from_mins(1) };

/// The vendor's own for the updates of one ticket by one user: 30 in 10 minutes (rate limits reference).
pub const TICKET_LIMIT: RateLimit = RateLimit { requests: 30, window: Duration::from_mins(10) };

/// How the account is set up.
#[derive(Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// The only OAuth client that Zendesk knows; `stand-in` by default
    #[arg(long = "zendesk-client-id", env = "STAND_IN_ZENDESK_CLIENT_ID")]
    pub client_id: String,
    /// Its secret; `stand-in-secret` by default
    #[arg(long = "zendesk-client-secret", env = "STAND_IN_ZENDESK_CLIENT_SECRET", hide_env_values = true)]
    pub client_secret: String,
    /// How long a token is good for; 30 minutes by default, as the vendor's are.
    #[arg(skip)]
    pub token_lifetime: Duration,
    /// How long the token of an upload is good for; 60 minutes by default, as the vendor's are.
    #[arg(skip)]
    pub upload_lifetime: Duration,
    /// How long an idempotency key is remembered; 2 hours by default, as the vendor does.
    #[arg(skip)]
    pub key_lifetime: Duration,
    /// Answer 429 to more updates of tickets than this in a minute (Zendesk's own limit: 100); no limit by default
    #[arg(long = "zendesk-update-limit", env = "STAND_IN_ZENDESK_UPDATE_LIMIT", value_name = "UPDATES")]
    #[arg(value_parser = |n: &str| UPDATE_LIMIT.parse(n))]
    pub update_limit: Option<RateLimit>,
    /// Answer 429 to more updates of one ticket than this in ten minutes; Zendesk's own limit of 30 by default
    #[arg(long = "zendesk-ticket-limit", env = "STAND_IN_ZENDESK_TICKET_LIMIT", value_name = "UPDATES")]
    #[arg(value_parser = |n: &str| TICKET_LIMIT.parse(n))]
    pub ticket_limit: Option<RateLimit>,
    /// How many comments a ticket takes; 5,000 by default, as the vendor's do (comments reference).
    #[arg(skip)]
    pub comment_limit: usize,
    /// How long a new ticket is not found by its `external_id`; not at all by default. That there is such a time is not
    /// documented, but a caller must not count on there being none.
    #[arg(skip)]
    pub lookup_lag: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            client_id: "stand-in".into(),
            client_secret: "stand-in-secret".into(),
            token_lifetime: Duration::from_mins(30),
            upload_lifetime: Duration::from_hours(1),
            key_lifetime: Duration::from_hours(2),
            update_limit: None,
            ticket_limit: Some(TICKET_LIMIT),
            comment_limit: 5_000,
            lookup_lag: Duration::ZERO,
        }
    }
}

/// Something that an agent does to a ticket meanwhile.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Adds an internal comment with this text.
    Comment(String),
    /// Changes the status.
    Status(Status),
    /// Changes the subject.
    Subject(String),
}

/// A Zendesk account, as the API and the tests see it.
#[derive(Clone)]
pub struct Zendesk {
    account: Arc<Kept<Account>>,
    tokens: Arc<Tokens>,
    uploads: Arc<Uploads>,
    updates: Arc<Window>,
    ticket_updates: Arc<Window>,
    options: Arc<Options>,
}

impl Zendesk {
    pub(crate) fn open(options: Options, file: &Arc<File>) -> io::Result<Self> {
        let account = file.account("zendesk")?.unwrap_or_else(Account::sample);
        Ok(Self {
            account: Arc::new(Kept::new(account, "zendesk", file)?),
            tokens: Arc::default(),
            uploads: Arc::default(),
            updates: Arc::new(Window::new(options.update_limit)),
            ticket_updates: Arc::new(Window::new(options.ticket_limit)),
            options: Arc::new(options),
        })
    }

    /// The tickets, in the order of their ids.
    #[must_use]
    pub fn tickets(&self) -> Vec<Ticket> {
        self.account.read(|account| account.tickets.values().cloned().collect())
    }

    /// The ticket with this id, if there is one.
    #[must_use]
    pub fn ticket(&self, id: u64) -> Option<Ticket> {
        self.account.read(|account| account.tickets.get(&id).cloned())
    }

    /// The callers, in the order of their ids.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.account.read(|account| account.callers.values().cloned().collect())
    }

    /// Adds a user with this number, whom searches know, and returns the id.
    #[expect(clippy::must_use_candidate, reason = "adding is what it is called for")]
    pub fn add_user(&self, name: &str, phone: &str) -> u64 {
        self.done(|account| {
            let id = account.add_user(name, Some(phone.into()), None);
            if let Some(user) = account.callers.get_mut(&id) {
                user.created_at -= TimeDelta::hours(1);
            }
            Ok(id)
        })
    }

    /// Adds a ticket with a customer's comment, and returns its id.
    #[expect(clippy::must_use_candidate, reason = "adding is what it is called for")]
    pub fn add_ticket(&self, status: Status) -> u64 {
        self.done(|account| Ok(account.add(status, "My printer is out of ink")))
    }

    /// Lets an agent change a ticket; a comment always moves its `updated_at`, the others when they change
    /// something.
    ///
    /// # Panics
    ///
    /// There is no such ticket, or it is closed.
    pub fn edit_as_agent(&self, id: u64, edit: Edit) {
        let given = match edit {
            Edit::Comment(body) => {
                Attributes { comment: Some(NewComment::internal(body)), ..Attributes::default() }
            }
            Edit::Status(status) => field("status", json!(status)),
            Edit::Subject(subject) => field("subject", json!(subject)),
        };
        self.done(|account| account.update(id, AGENT, given).map(drop));
    }

    /// Closes a ticket for good, as the vendor's automation does with those solved long ago.
    ///
    /// # Panics
    ///
    /// There is no such ticket.
    pub fn close(&self, id: u64) {
        self.edit_as_agent(id, Edit::Status(Status::Closed));
    }

    /// Makes every token that was given so far worthless.
    pub fn revoke_tokens(&self) {
        self.tokens.revoke();
    }

    fn is_upload(path: &str) -> bool {
        ["/api/v2/uploads", "/api/v2/uploads.json"].contains(&path)
    }

    fn done<T>(&self, change: impl FnOnce(&mut Account) -> Result<T, Refusal>) -> T {
        match self.account.change(change) {
            Ok(done) => done,
            Err(refusal) => panic!("{refusal:?}"),
        }
    }
}

impl Vendor for Zendesk {
    fn name(&self) -> &'static str {
        "Zendesk"
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/api/", "/oauth/"]
    }

    fn takes_files(&self, path: &str) -> bool {
        Self::is_upload(path)
    }

    /// Each with `.json` and without.
    fn router(&self) -> Router {
        let no_such_endpoint = async || refusal::no_such_endpoint();
        let tickets = || get(tickets::list).post(tickets::create);
        Router::new()
            .route("/api/v2/tickets", tickets())
            .route("/api/v2/tickets.json", tickets())
            .route("/api/v2/tickets/{id}", get(tickets::read).put(tickets::update).delete(tickets::delete))
            .route("/api/v2/tickets/{id}/comments", get(comments::list))
            .route("/api/v2/tickets/{id}/comments.json", get(comments::list))
            .route("/api/v2/users", post(users::create))
            .route("/api/v2/users.json", post(users::create))
            .route("/api/v2/users/search", get(users::search))
            .route("/api/v2/users/search.json", get(users::search))
            .route("/api/v2/uploads", post(uploads::upload))
            .route("/api/v2/uploads.json", post(uploads::upload))
            .route_layer(from_fn_with_state(self.clone(), tokens::admit))
            .route("/oauth/tokens", post(tokens::give))
            .method_not_allowed_fallback(no_such_endpoint)
            .fallback(no_such_endpoint)
            .layer(from_fn(accepting_json))
            .with_state(self.clone())
    }

    fn listings(&self) -> Vec<Listing> {
        vec![Listing::of("tickets", &self.tickets()), Listing::of("users", &self.users())]
    }

    fn failure(&self, path: &str, status: StatusCode) -> Refusal {
        refusal::injected(path, status)
    }
}

/// "You must set an Accept: application/json header on all requests" (requests reference).
async fn accepting_json(request: Request, next: Next) -> Result<Response, Refusal> {
    if request.headers().get(ACCEPT).is_none_or(|accepted| accepted != "application/json") {
        return Err(refusal::not_acceptable());
    }
    Ok(next.run(request).await)
}

fn field(name: &str, value: serde_json::Value) -> Attributes {
    Attributes { fields: BTreeMap::from([(name.into(), value)]), ..Attributes::default() }
}
