//! A network between a process and the test's Postgres that can go silent: connections that stay open and carry nothing,
//! as after a pulled plug, or a firewall that has forgotten them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use reqwest::Url;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// A database that is reached over such a network; dropped, it closes all its connections.
pub(crate) struct Proxy {
    behind: String,
    address: SocketAddr,
    /// Cancelled, the connections that have it carry nothing any more.
    silence: Arc<Mutex<CancellationToken>>,
    _serving: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts it before the database of this URL, which names a socket.
    pub(crate) async fn before(url: &str) -> Self {
        let behind: Url = url.parse().unwrap();
        let named = |name: &str| behind.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let socket = format!("{}/.s.PGSQL.{}", named("host"), named("port"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let silence = Arc::new(Mutex::new(CancellationToken::new()));
        let serving = tokio::spawn(serve(listener, socket, Arc::clone(&silence)));
        Self { behind: url.to_owned(), address, silence, _serving: AbortOnDropHandle::new(serving) }
    }

    /// The database as it is reached through this.
    pub(crate) fn url(&self) -> String {
        let database: Url = self.behind.parse().unwrap();
        format!("postgres://postgres@{}{}", self.address, database.path())
    }

    /// The database as the test itself reaches it.
    pub(crate) fn behind(&self) -> &str {
        &self.behind
    }

    /// From now on nothing gets through, neither on the connections that are open nor on those that are opened; none is
    /// closed, and neither end hears when the other closes its own.
    pub(crate) fn silence(&self) {
        self.silence.lock().unwrap().cancel();
    }

    /// Connections that are opened from now on work; those that fell silent stay so for ever.
    pub(crate) fn heal(&self) {
        *self.silence.lock().unwrap() = CancellationToken::new();
    }
}

async fn serve(listener: TcpListener, socket: String, silence: Arc<Mutex<CancellationToken>>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let silence = silence.lock().unwrap().clone();
        connections.spawn(carry(client, socket.clone(), silence));
    }
}

async fn carry(mut client: TcpStream, socket: String, silence: CancellationToken) {
    let carried = async {
        // A server that takes no connections hangs up, and so does this.
        let mut server = UnixStream::connect(socket).await?;
        let ended = copy_bidirectional(&mut client, &mut server).await;
        ended.map(drop)
    };
    let mut carried = std::pin::pin!(carried);
    tokio::select! {
        biased;
        () = silence.cancelled() => std::future::pending().await,
        _ended = &mut carried => {}
    }
}
