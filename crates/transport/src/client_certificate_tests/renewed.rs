//! Authorities that are replaced while the server runs, and connections that are begun anew.

use std::{fs, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, HandshakeKind, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::made::{SHOP, authority, start};
use crate::{ServerHandle, connection::PREFACE};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn renewed_authorities_are_picked_up_and_broken_ones_are_not() {
    let (old, new) = (authority(None), authority(None));
    let served = start(Some(&old.pem));
    let file = served.files.client_ca.as_ref().unwrap();
    fs::write(file, "half a fi").unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(served.names(Some(&old.shop())).await.unwrap(), SHOP);

    fs::write(file, format!("{}{}", old.pem, new.pem)).unwrap();
    timeout(PATIENCE, async {
        while served.names(Some(&new.shop())).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the new authority should be believed");
    assert_eq!(served.names(Some(&old.shop())).await.unwrap(), SHOP);

    fs::write(file, &new.pem).unwrap();
    timeout(PATIENCE, async {
        while served.names(Some(&old.shop())).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the old authority should not be believed any more");
    assert_eq!(served.names(Some(&new.shop())).await.unwrap(), SHOP);
}

/// A resumed session brings a certificate along that nobody verifies again.
#[tokio::test]
async fn each_connection_with_a_certificate_is_a_handshake_in_full() {
    let ca = authority(None);
    let shown = ca.shop();
    let mut kinds = Vec::new();
    for client_ca in [Some(&*ca.pem), None] {
        let served = start(client_ca);
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&served.trusted)).unwrap();
        let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate(&shown.chain)], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        for _ in 0..2 {
            kinds.push(handshake(&connector, &served.server).await);
        }
    }
    let [full, resumed] = [HandshakeKind::Full, HandshakeKind::Resumed];
    assert_eq!(kinds, [full, full, full, resumed]);
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Connects, reads what the server sends first, tickets included, and tells how the handshake went.
async fn handshake(connector: &TlsConnector, server: &ServerHandle) -> HandshakeKind {
    let tcp = TcpStream::connect(server.local_addr()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, tcp).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream
        .write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    stream.read_exact(&mut [0; 9]).await.unwrap();
    stream.get_ref().1.handshake_kind().unwrap()
}
