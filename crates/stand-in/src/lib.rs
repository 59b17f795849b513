//! Plays the HTTP APIs of vendors, so that a program runs and is tested without an account.
//!
//! It keeps state (the same call upserted twice is one call), refuses what a vendor would refuse, and
//! fails when told to. The core knows no vendor. Its files, in the order in which a request meets them:
//!
//! - `server`: the connections, and the one place where a request is noted, made to fail, or answered
//! - `received`: the list of what came in
//! - `fault`: what a test or a person can make go wrong
//! - `vendor`: what the core needs of a vendor
//! - `refusal`, `limit` and `kept`: what vendors have in common, errors, rolling limits and accounts that outlive a restart
//! - `schema`: what a request may be, by the vendors' published descriptions
//! - [`script`]: a vendor that answers what it is told to
//! - `sink`: a receiver of webhooks
//! - `pages`: what the stand-in shows to people
//!
//! A vendor is a folder, such as [`hubspot`], [`zendesk`] or the telephone [`platform`], with its `mod`, and a line in the list below.

mod fault;
pub mod hubspot;
mod kept;
mod limit;
mod pages;
pub mod platform;
mod random;
mod received;
mod refusal;
mod schema;
pub mod script;
mod server;
mod sink;
mod vendor;
pub mod zendesk;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use fault::Fault;
pub use limit::RateLimit;
pub use received::Received;
pub use script::Script;
pub use sink::{Sink, SinkDelivery};

use kept::File;
use server::{Server, Shared};

vendor::vendors! {
    hubspot: HubSpot,
    platform: Platform,
    zendesk: Zendesk,
}

/// A running stand-in; it stops when the last clone of this handle is dropped.
#[derive(Clone)]
pub struct StandIn {
    running: Arc<Running>,
}

struct Running {
    address: SocketAddr,
    vendors: Vendors,
    script: Script,
    sink: Sink,
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
        let listen = options.listen;
        let file = Arc::new(File::open(options.keep.clone())?);
        let vendors = Vendors::open(options, &file)?;
        file.begin()?;
        let (script, sink) = (Script::default(), Sink::default());
        let mut played = vendors.all();
        played.push(Box::new(script.clone()));
        played.push(Box::new(sink.clone()));
        let shared = Arc::new(Shared::new(played));
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("can't listen on {listen}: {error}")))?;
        let address = listener.local_addr()?;
        let server = Server::new(Arc::clone(&shared), address.ip().is_loopback());
        let (stop, stopping) = watch::channel(());
        let server = Mutex::new(Some(tokio::spawn(server.run(listener, stopping))));
        Ok(Self { running: Arc::new(Running { address, vendors, script, sink, shared, stop, server }) })
    }

    /// Where it answers, as a base URL without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// The vendor that answers what it is told to.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.running.script
    }

    /// What was delivered to the sink.
    #[must_use]
    pub fn sink(&self) -> &Sink {
        &self.running.sink
    }

    /// Queues a fault; a request meets the first that fits it.
    pub fn fail(&self, fault: Fault) {
        self.running.shared.faults.add(fault);
    }

    /// Takes back every fault.
    pub fn clear_faults(&self) {
        self.running.shared.faults.clear();
    }

    /// The requests to anything but the stand-in's own pages, newest last, 10,000 at most.
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
