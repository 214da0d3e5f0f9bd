//! A connection of HTTP/2 whose requests may be of any form and need not end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use prost::bytes::Bytes;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::codegen::http::{HeaderMap, Request, Response};

use crate::certificates::ClientCertificate;
use crate::wait::comes_true;

/// A connection. It ends when it is dropped.
#[derive(Debug)]
pub struct Http2 {
    requests: SendRequest<Bytes>,
    connection: AbortHandle,
}

/// A request under way, whose body has not ended.
#[derive(Debug)]
pub struct Unfinished {
    /// Where the rest of the body goes.
    pub body: SendStream<Bytes>,
    response: ResponseFuture,
}

impl Http2 {
    /// Connects.
    ///
    /// # Panics
    /// If nobody listens there.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        Self::over(stream).await
    }

    /// Connects with TLS to a server for `localhost`, and shows a certificate.
    ///
    /// # Panics
    /// If there is no TLS.
    pub async fn connect_securely(
        address: SocketAddr,
        trusted: &str,
        shown: Option<&ClientCertificate>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(trusted)).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots);
        let mut config = match shown {
            None => config.with_no_client_auth(),
            Some(shown) => {
                let chain = vec![certificate(&shown.certificate)];
                let key = PrivateKeyDer::from_pem_slice(shown.private_key.as_bytes());
                config
                    .with_client_auth_cert(chain, key.expect("a key"))
                    .expect("they belong together")
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(address).await.expect("a connection");
        let localhost = ServerName::try_from("localhost").expect("a name");
        let stream = connector.connect(localhost, stream).await;
        Self::over(stream.expect("TLS")).await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let handshake = h2::client::handshake(stream).await;
        let (requests, connection) = handshake.expect("HTTP/2");
        let connection = tokio::spawn(async {
            connection.await.ok();
        });
        Self {
            requests,
            connection: connection.abort_handle(),
        }
    }

    /// Whether the connection ends within the time.
    pub async fn ends(&self, within: Duration) -> bool {
        comes_true(within, || async { self.connection.is_finished() })
            .await
            .is_some()
    }

    /// Sends the headers of a request and nothing more.
    ///
    /// # Panics
    /// If the connection is gone.
    pub async fn begin(&self, request: Request<()>) -> Unfinished {
        let requests = self.requests.clone().ready().await;
        let sent = requests.expect("ready").send_request(request, false);
        let (response, body) = sent.expect("the connection is there");
        Unfinished { body, response }
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Unfinished {
    /// The headers of the answer, if it comes within the time, and its trailers,
    /// if there are any: what came of the call is in the one or the other.
    ///
    /// # Panics
    /// If the connection breaks.
    pub async fn answer(self, patience: Duration) -> Option<(Response<()>, HeaderMap)> {
        let answer = timeout(patience, self.response).await.ok()?;
        let (head, mut body) = answer.expect("an answer").into_parts();
        let ended = timeout(patience, async {
            while let Some(data) = body.data().await {
                data.expect("data");
            }
            body.trailers().await.expect("trailers").unwrap_or_default()
        });
        let trailers = ended.await.ok()?;
        Some((Response::from_parts(head, ()), trailers))
    }
}
