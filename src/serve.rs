//! HTTP/1.1 connections: what axum's own `serve` has no setting for, a deadline for the head of a request.
//!
//! HTTP/2 and TLS are the business of the proxy in front.

use std::{future::poll_fn, net::SocketAddr, time::Duration};

use anyhow::Context;
use axum::{Router, extract::ConnectInfo, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// How long the head of a request may take to arrive, and how long a connection may idle between two requests.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long requests in hand may take to end at a stop: longer than a body and a commit can take.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a sender may take to read its last answer and hang up.
const LINGER: Duration = Duration::from_secs(2);

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

/// Serves until told to stop, then lets the requests in hand end.
pub async fn serve(mut listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            (stream, peer) = Listener::accept(&mut listener) => {
                connections.spawn(converse(stream, peer, router.clone(), stop.clone()));
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "some connections did not end in time and are cut");
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    // Answers are small and complete: waiting for more to send with them only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|context| connection.poll_without_shutdown(context)) => ended,
        () = stop.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    let goodbye = async {
        // A connection that idled between two requests is closed without a word.
        if ended.is_err_and(|error| error.is_timeout()) && !parts.read_buf.is_empty() {
            stream.write_all(REQUEST_TIMEOUT).await?;
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
}
