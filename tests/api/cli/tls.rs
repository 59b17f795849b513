//! A proxy that ends TLS before a receiver, with a certificate that it made itself.

use std::{net::SocketAddr, sync::Arc};

use tempfile::NamedTempFile;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// Its certificate, for the name localhost: whoever trusts this file trusts the proxy.
    pub(crate) certificate: NamedTempFile,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Starts it before this address.
    pub(crate) async fn before(receiver: String) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = NamedTempFile::new().unwrap();
        std::fs::write(certificate.path(), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Who doesn't trust the certificate hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut behind = TcpStream::connect(&receiver).await.unwrap();
                let _ended = copy_bidirectional(&mut stream, &mut behind).await;
            }
        });
        Self { address, certificate, serving }
    }

    pub(crate) fn trusted_by(&self) -> String {
        self.certificate.path().to_str().unwrap().to_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
