//! The way to the database: the password takes none that others can read.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{program, settings};
use crate::helpers::{TOKEN, database, proxy::Proxy};

/// No address of a private network, and one that leads to this machine nevertheless.
const PUBLIC: &str = "0.0.0.0";

/// Postgres' `SSLRequest`. (Postgres' documentation, "Message Formats".)
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

const PASSWORD: &str = "Hemlig7Nyckel";

/// Something in the place of a Postgres: it says no to TLS, and asks for the password in clear.
struct Impostor {
    port: u16,
    asked_for_tls: Arc<Mutex<u32>>,
    /// All that came after that.
    heard: Arc<Mutex<Vec<u8>>>,
    serving: JoinHandle<()>,
}

impl Impostor {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked_for_tls, heard) = (Arc::default(), Arc::default());
        let (asked, all) = (Arc::clone(&asked_for_tls), Arc::clone(&heard));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever hangs up has said enough.
                let _ended = talk(stream, &asked, &all).await;
            }
        });
        Self { port, asked_for_tls, heard, serving }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn talk(mut stream: TcpStream, asked: &Mutex<u32>, heard: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let mut request = [0; 8];
    stream.read_exact(&mut request).await?;
    assert_eq!(request, SSL_REQUEST);
    *asked.lock().unwrap() += 1;
    stream.write_all(b"N").await?;
    let mut part = [0; 1024];
    // The StartupMessage and the password, and no third time.
    for _ in 0..2 {
        let length = stream.read(&mut part).await?;
        heard.lock().unwrap().extend(&part[..length]);
        // AuthenticationCleartextPassword.
        stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_password_is_not_told_to_a_public_host_that_gives_no_encryption() {
    for (host, mode) in [(PUBLIC, ""), (PUBLIC, "?sslmode=verify-full"), ("127.0.0.1", "?sslmode=require")] {
        for arguments in [&["receive"][..], &["work"], &["doctor"], &["retry", "report-call"]] {
            let impostor = Impostor::start().await;
            let url = format!("postgres://me:{PASSWORD}@{host}:{}/calls{mode}", impostor.port);
            let set = settings([
                ("DATABASE_URL", url.as_str()),
                ("WEBHOOK_TOKEN", TOKEN),
                ("JOBS", ""),
                ("LISTEN_ADDR", "127.0.0.1:0"),
                ("ADMIN_ADDR", "127.0.0.1:0"),
            ]);
            let ran = program(arguments, &set).await;
            assert_eq!(impostor.heard(), "", "{host}{mode} {arguments:?}");
            assert!(*impostor.asked_for_tls.lock().unwrap() > 0, "{host}{mode} {arguments:?}: {ran:?}");
            let says = format!("{}{}", ran.out, ran.err);
            assert_ne!(ran.code, 0, "{says}");
            assert!(
                says.contains("sslmode=disable") && says.contains("DATABASE_URL"),
                "{arguments:?}: {says}"
            );
        }
    }
}

#[tokio::test]
async fn the_doctor_says_how_nobody_can_pass_for_a_public_database() {
    let network = Proxy::before(&database::create().await).await;
    let private = network.url();
    let public = private.replace("127.0.0.1", PUBLIC) + "?sslmode=prefer";
    for (url, warned) in [(public, true), (private, false)] {
        let ran = program(&["doctor"], &settings([("DATABASE_URL", url)])).await;
        assert!(ran.out.contains("✓ database: "), "{ran:?}");
        let line = ran.out.lines().find(|line| line.contains("encryption: warning"));
        assert_eq!(line.is_some_and(|line| line.contains("sslmode=verify-full")), warned, "{ran:?}");
    }
}
