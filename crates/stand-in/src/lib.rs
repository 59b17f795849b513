//! Plays the HTTP APIs of the vendors, so that Aftercall runs and is tested without an account.
//!
//! It keeps state (the same call upserted twice is one call), refuses what a vendor would refuse, and
//! fails when told to. The files, in the order in which a request meets them:
//!
//! - `server`: the connections, and the one place where a request is noted, made to fail, or answered
//! - `received`: the list of what came in
//! - `fault`: what a test or a person can make go wrong
//! - `hubspot` and [`zendesk`]: the vendors themselves: their routes, their rules and their accounts
//! - `limit` and `kept`: what these have in common, rolling limits and accounts that outlive a restart
//! - `sink`: a receiver of webhooks
//! - `pages`: what the stand-in shows to people
//!
//! Another vendor becomes a module beside those, with a router that is merged in `StandIn::start`.

mod fault;
mod hubspot;
mod kept;
mod limit;
mod pages;
mod random;
mod received;
mod server;
mod sink;
pub mod zendesk;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use fault::Fault;
pub use hubspot::{Call, Contact, HubSpot};
pub use limit::RateLimit;
pub use received::Received;
pub use sink::{Sink, SinkDelivery};

use kept::File;
use server::{Server, Shared};
use zendesk::Zendesk;

/// How a stand-in starts.
#[derive(Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The only bearer token that HubSpot accepts.
    pub token: String,
    /// Whether the account already has HubSpot's unique call property `external_call_id`.
    pub unique_property: bool,
    /// HubSpot's rolling limit; none by default.
    pub rate_limit: Option<RateLimit>,
    /// HubSpot's rolling limit for searches; its own by default.
    pub search_limit: Option<RateLimit>,
    /// Zendesk's client, and what else there is to set for it.
    pub zendesk: zendesk::Options,
    /// A file in which the accounts outlive a restart; none by default.
    pub keep: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            token: "stand-in".into(),
            unique_property: true,
            rate_limit: None,
            search_limit: Some(RateLimit::hubspot_search()),
            zendesk: zendesk::Options::default(),
            keep: None,
        }
    }
}

/// A running stand-in; it stops when the last clone of this handle is dropped.
#[derive(Clone)]
pub struct StandIn {
    running: Arc<Running>,
}

struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    // Also the signal of the last handle's drop: the server sees that its sender is gone.
    stop: watch::Sender<()>,
    server: Mutex<Option<JoinHandle<()>>>,
}

impl StandIn {
    /// Starts a stand-in on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// The address can't be listened on, or the file to keep the accounts in can't be read or written.
    pub async fn start(options: Options) -> io::Result<Self> {
        let file = Arc::new(File::open(options.keep)?);
        let hubspot = HubSpot::open(Arc::clone(&file), options.unique_property, options.search_limit)?;
        let zendesk = Zendesk::open(file, options.zendesk)?;
        // Once both are read: a file that is not understood stays as it is.
        hubspot.keep()?;
        zendesk.keep()?;
        let vendors = hubspot.router(&options.token, options.rate_limit).merge(zendesk.router());
        let shared = Arc::new(Shared::new(hubspot, zendesk));
        let router = pages::router(Arc::clone(&shared)).merge(shared.sink.router()).merge(vendors);
        let listener = TcpListener::bind(options.listen).await.map_err(|error| {
            io::Error::new(error.kind(), format!("can't listen on {}: {error}", options.listen))
        })?;
        let address = listener.local_addr()?;
        let server = Server::new(Arc::clone(&shared), address.ip().is_loopback(), router);
        let (stop, stopping) = watch::channel(());
        let server = Mutex::new(Some(tokio::spawn(server.run(listener, stopping))));
        Ok(Self { running: Arc::new(Running { address, shared, stop, server }) })
    }

    /// Where it answers, as a base URL without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// The HubSpot account that it plays.
    #[must_use]
    pub fn hubspot(&self) -> &HubSpot {
        &self.running.shared.hubspot
    }

    /// The Zendesk account that it plays.
    #[must_use]
    pub fn zendesk(&self) -> &Zendesk {
        &self.running.shared.zendesk
    }

    /// What was delivered to the sink.
    #[must_use]
    pub fn sink(&self) -> &Sink {
        &self.running.shared.sink
    }

    /// Queues a fault; a request meets the first that fits it.
    pub fn fail(&self, fault: Fault) {
        self.running.shared.faults.add(fault);
    }

    /// Takes back every fault.
    pub fn clear_faults(&self) {
        self.running.shared.faults.clear();
    }

    /// The requests that reached a vendor's API or the sink, newest last, 10,000 at most.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.running.shared.received.all()
    }

    /// Stops listening and waits until the port is free; replies under way have a second.
    pub async fn stop(self) {
        self.running.stop.send_replace(());
        let server = lock(&self.running.server).take();
        if let Some(server) = server {
            // An error here is a panic of the server, which the panic itself has already reported.
            let _ = server.await;
        }
    }
}

/// That one request panicked with the lock held is no reason for all later ones to panic too.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
