//! The connections, and the one place where a request is noted, made to fail, or answered.
//!
//! `axum::serve` can only answer. Losing a reply means to close the connection without one, which hyper
//! does when the service returns an error: so this is hyper's own HTTP/1 connection around the router.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, Uri, header, uri::Authority};
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::fault::{Failure, Faults};
use crate::pages;
use crate::received::{Log, Received};
use crate::vendor::Vendor;

/// What replies under way get before they are cut off.
const GRACE: Duration = Duration::from_secs(1);

/// Well above a batch of a hundred calls.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// What the server and the handles to it have in common.
pub(crate) struct Shared {
    played: Vec<Played>,
    pub(crate) faults: Faults,
    pub(crate) received: Log,
}

struct Played {
    vendor: Box<dyn Vendor>,
    router: TowerToHyperService<Router>,
}

impl Shared {
    pub(crate) fn new(vendors: Vec<Box<dyn Vendor>>) -> Self {
        let played = |vendor: Box<dyn Vendor>| {
            let router = TowerToHyperService::new(vendor.router());
            Played { vendor, router }
        };
        let played = vendors.into_iter().map(played).collect();
        Self { played, faults: Faults::default(), received: Log::default() }
    }

    pub(crate) fn vendors(&self) -> impl Iterator<Item = &dyn Vendor> {
        self.played.iter().map(|played| &*played.vendor)
    }

    fn at(&self, path: &str) -> Option<&Played> {
        self.played.iter().find(|played| played.vendor.paths().iter().any(|of| path.starts_with(of)))
    }
}

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
enum Dropped {
    #[error("a fault asked for it")]
    Fault,
    #[error("the request did not arrive whole: {0}")]
    Incomplete(axum::Error),
}

#[derive(Clone)]
pub(crate) struct Server {
    shared: Arc<Shared>,
    /// Whether this machine alone reaches it, so that no other name leads to it.
    on_loopback: bool,
    pages: TowerToHyperService<Router>,
}

impl Server {
    pub(crate) fn new(shared: Arc<Shared>, on_loopback: bool) -> Self {
        let pages = TowerToHyperService::new(pages::router(&shared));
        Self { shared, on_loopback, pages }
    }

    /// Accepts connections until `stopping` changes or its sender is gone.
    pub(crate) async fn run(self, listener: TcpListener, mut stopping: watch::Receiver<()>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                _ = stopping.changed() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(self.clone().connection(stream, stopping.clone()));
                    }
                    Err(error) => {
                        // Out of file descriptors, most likely: without a pause this would spin.
                        tracing::warn!(%error, "can't accept a connection");
                        sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
        drop(listener);
        // Whatever is left after that is aborted with the set.
        let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    }

    async fn connection(self, stream: TcpStream, mut stopping: watch::Receiver<()>) {
        let service = service_fn(|request| self.answer(request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            _ = stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response, Dropped> {
        if self.on_loopback && is_misdirected(request.uri(), request.headers()) {
            let why = "The stand-in answers under an address and as localhost alone.\n";
            return Ok((StatusCode::MISDIRECTED_REQUEST, why).into_response());
        }
        let (parts, body) = request.into_parts();
        let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
        let (noted, body) = match self.shared.at(&path) {
            Some(played) if played.vendor.takes_files(&path) => (Bytes::new(), Body::new(body)),
            _ => {
                let whole = axum::body::to_bytes(Body::new(body), MAX_BODY).await;
                let whole = whole.map_err(Dropped::Incomplete)?;
                (whole.clone(), Body::from(whole))
            }
        };
        let received = Received::now(&parts, &noted);
        let request = Request::from_parts(parts, body);
        if is_page(&path) {
            return Ok(route(&self.pages, request).await);
        }

        let number = self.shared.received.add(received);
        let answer = match self.shared.at(&path) {
            Some(played) => self.play(played, &path, request).await,
            None => Ok(route(&self.pages, request).await),
        };
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        self.shared.received.ended(number, status);
        tracing::info!(%method, path, status, dropped = status.is_none(), "request");
        answer
    }

    async fn play(&self, played: &Played, path: &str, request: Request<Body>) -> Result<Response, Dropped> {
        let refused = |status| played.vendor.failure(path, status);
        match self.shared.faults.take(request.method().as_str(), path) {
            None => Ok(route(&played.router, request).await),
            Some(Failure::Status(status)) => {
                read_whole(request).await;
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Ok(refused(status).into_response())
            }
            Some(Failure::RateLimited { retry_after }) => {
                read_whole(request).await;
                let mut answer = refused(StatusCode::TOO_MANY_REQUESTS).into_response();
                answer.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds.into())));
                Ok(answer)
            }
            Some(Failure::SlowMs(delay)) => {
                let answer = route(&played.router, request).await;
                sleep(Duration::from_millis(delay)).await;
                Ok(answer)
            }
            Some(Failure::LoseReply) => {
                route(&played.router, request).await;
                Err(Dropped::Fault)
            }
            Some(Failure::RefuseConnection) => Err(Dropped::Fault),
        }
    }
}

async fn route(router: &TowerToHyperService<Router>, request: Request<Body>) -> Response {
    let answer: Result<Response, Infallible> = router.call(request).await;
    let Ok(answer) = answer;
    answer
}

/// Reads a file that nobody takes: an answer before its end would be lost with the connection.
async fn read_whole(request: Request<Body>) {
    let mut body = request.into_body();
    while let Some(Ok(_)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {}
}

/// Whether it is for a name of the public DNS: some site's, which had its name lead to this machine in order to read what is
/// here (DNS rebinding). A request that names no host is by no browser.
fn is_misdirected(uri: &Uri, headers: &HeaderMap) -> bool {
    let named = headers.get(header::HOST).map(|host| Authority::try_from(host.as_bytes()));
    let Some(authority) = uri.authority().cloned().map(Ok).or(named) else { return false };
    let Ok(authority) = authority else { return true };
    let host = authority.host().to_ascii_lowercase();
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    !is_address && host.contains('.') && !host.ends_with(".localhost")
}

/// The stand-in's own pages: never made to fail, and not in the list of what came in.
fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/stand-in/")
}
