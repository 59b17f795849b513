//! HTTP/1.1 connections: what axum's own `serve` has no setting for, bounds on their number, their size and their time.
//!
//! HTTP/2 and TLS are the business of the proxy in front.

mod shares;

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Router,
    extract::ConnectInfo,
    http::{HeaderValue, header},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::config::Networks;
use shares::Shares;
pub(crate) use shares::household;

/// How long the head of a request may take to arrive, and how long a connection may idle between two requests.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long a sender may leave an answer unread when there is no room for it on the way.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

/// How long requests in hand may take to end at a stop: longer than a body and a commit can take.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a sender may take to read its last answer and hang up.
const LINGER: Duration = Duration::from_secs(2);

/// The most bytes of a head; the platform's has some 500. What a connection can make us hold is a small multiple of it.
const LARGEST_HEAD: usize = 16 * 1024;

/// The most connections at a time: far more than a platform opens, so that a thousand idle ones are in nobody's way, and
/// few enough that all of them with a full head stay within some 200 MB. Further ones wait in the kernel's queue, and the
/// deadlines above make room: even while somebody holds all places, each is free again within seconds.
const MOST_CONNECTIONS: usize = 4096;

/// The most connections of the second listener: a few people and probes.
pub const FEW_CONNECTIONS: usize = 64;

/// Open files that are left to the second listener, the database, the jobs and the logs.
const OTHER_FILES: u64 = 64;

const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const REQUEST_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Takes the address, which the setting of this name chose.
///
/// # Errors
///
/// It is taken, or not this machine's.
pub async fn listen(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("can't listen on {address}: set {setting}"))
}

/// Serves at most so many connections at a time until told to stop, then lets the requests in hand end. No address has more
/// than its share of them, but the proxies.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    most: usize,
    proxies: Networks,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let (places, shares) = (Arc::new(Semaphore::new(most)), Shares::of(most, proxies));
    let (mut told, mut told_of_share) = (Seldom::default(), Seldom::default());
    loop {
        let accept = async {
            let place = place(&places, &mut told).await;
            (place, Listener::accept(&mut listener).await)
        };
        tokio::select! {
            () = stop.cancelled() => break,
            (place, (stream, peer)) = accept => match shares.take(peer.ip()) {
                Some(taken) => {
                    let conversation = converse(stream, peer, router.clone(), stop.clone(), place);
                    connections.spawn(async move {
                        conversation.await;
                        drop(taken);
                    });
                }
                None if told_of_share.again() => tracing::warn!(
                    peer = %peer.ip(),
                    "an address has its share of the connections open: its further ones are closed"
                ),
                None => {}
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "some connections did not end in time and are cut");
    }
}

/// Once a minute at the most.
#[derive(Default)]
struct Seldom(Option<Instant>);

impl Seldom {
    fn again(&mut self) -> bool {
        let again = self.0.is_none_or(|told| told.elapsed() > Duration::from_mins(1));
        if again {
            self.0 = Some(Instant::now());
        }
        again
    }
}

/// As many as the system lets us open files, which it is asked to raise: 1024 is a usual limit, and a process may lift its
/// own up to a second, higher one.
pub fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let connections = files.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES).max(1));
    let connections = usize::try_from(connections).unwrap_or(usize::MAX).min(MOST_CONNECTIONS);
    if connections < MOST_CONNECTIONS {
        tracing::warn!(connections, "the limit of open files (ulimit -n) allows this many connections only");
    }
    connections
}

/// A place for one more connection; waits until there is one, and says so once a minute.
async fn place(places: &Arc<Semaphore>, told: &mut Seldom) -> OwnedSemaphorePermit {
    if places.available_permits() == 0 && told.again() {
        tracing::warn!("as many connections as allowed are open: the next ones wait");
    }
    Arc::clone(places).acquire_owned().await.expect("it is never closed")
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
    place: OwnedSemaphorePermit,
) {
    // Answers are small and complete: waiting for more to send with them only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let places = Arc::clone(place.semaphore());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (router, places) = (router.clone(), Arc::clone(&places));
        Box::pin(async move {
            let mut answer = router.oneshot(request).await?;
            // Where others wait for the place, nobody keeps it from one request to the next.
            if places.available_permits() == 0 {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(LARGEST_HEAD)
        // Who sends a request and closes its own half still reads the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(WriteTimeout { stream, stalled: None }), service);
    let ended = tokio::select! {
        ended = poll_fn(|context| connection.poll_without_shutdown(context)) => ended,
        () = stop.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner().stream;
    let goodbye = async {
        if let Some(answer) = ended.err().and_then(|error| answer_to_garbage(&error, &parts.read_buf)) {
            stream.write_all(answer).await?;
        }
        stream.shutdown().await?;
        // A request that was refused early is still on its way. Closed now, the connection would be reset, and the
        // sender would see that instead of its answer.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    match timeout(LINGER, goodbye).await {
        Ok(Ok(_)) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the peer had gone"),
    }
    drop(place);
}

/// The answer to a head that hyper gave up without one. A connection that said nothing is closed without a word.
fn answer_to_garbage(error: &hyper::Error, unread: &[u8]) -> Option<&'static [u8]> {
    if unread.is_empty() {
        None
    } else if error.is_timeout() {
        Some(REQUEST_TIMEOUT)
    } else {
        (error.is_incomplete_message() || error.is_parse_version_h2()).then_some(BAD_REQUEST)
    }
}

/// A stream that gives up a peer who lets no more be written: one who sends requests without reading the answers would
/// otherwise keep its connection for ever.
struct WriteTimeout {
    stream: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for WriteTimeout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        buffer: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE_DEADLINE)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
