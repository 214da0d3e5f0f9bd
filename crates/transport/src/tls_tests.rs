//! TLS through real sockets: calls, refusals, replaced files, and errors that name the file.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::{
    Listener, ServerHandle, TlsFiles, TransportConfig, TransportError,
    connection::PREFACE,
    probe::{Probes, call, serve},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A self-signed certificate for `localhost` and its key, both in PEM form.
struct Pair {
    certificate: String,
    private_key: String,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    Pair {
        certificate: made.cert.pem(),
        private_key: made.signing_key.serialize_pem(),
    }
}

fn write(directory: &Path, pair: &Pair) -> TlsFiles {
    let files = TlsFiles {
        certificate: directory.join("tls.crt"),
        private_key: directory.join("tls.key"),
        client_ca: None,
    };
    fs::write(&files.certificate, &pair.certificate).unwrap();
    fs::write(&files.private_key, &pair.private_key).unwrap();
    files
}

fn with_tls(files: TlsFiles) -> TransportConfig {
    TransportConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: Some(files),
        ..TransportConfig::default()
    }
}

async fn connect(server: &ServerHandle, trusted: &str) -> Result<Channel, tonic::transport::Error> {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(trusted))
        .domain_name("localhost");
    Endpoint::from_shared(format!("https://{}", server.local_addr()))?
        .tls_config(tls)?
        .connect()
        .await
}

#[tokio::test]
async fn a_call_over_tls_is_answered_and_its_peer_is_known() {
    let directory = TempDir::new().unwrap();
    let pair = pair();
    let server = serve(with_tls(write(directory.path(), &pair)), &Probes::new());
    let channel = connect(&server, &pair.certificate).await.unwrap();
    let peer = call(&channel, "peer").await.unwrap();
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    assert_eq!(server.drain(PATIENCE).await.connections_cut, 0);
}

#[tokio::test]
async fn a_plaintext_client_on_the_tls_port_is_closed() {
    let directory = TempDir::new().unwrap();
    let server = serve(
        TransportConfig {
            preface_timeout: PATIENCE * 10,
            ..with_tls(write(directory.path(), &pair()))
        },
        &Probes::new(),
    );
    let mut plain = TcpStream::connect(server.local_addr()).await.unwrap();
    plain.write_all(PREFACE).await.unwrap();
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, plain.read_to_end(&mut answer)).await;
    drop(end.expect("the server should have closed the connection"));
    // At most a TLS alert (record type 21) comes back, and no HTTP/2.
    assert!(answer.first().is_none_or(|&kind| kind == 21), "{answer:?}");
}

#[tokio::test]
async fn replaced_files_are_served_without_a_restart() {
    let directory = TempDir::new().unwrap();
    let old = pair();
    let new = pair();
    let files = write(directory.path(), &old);
    let server = serve(with_tls(files.clone()), &Probes::new());
    let before = connect(&server, &old.certificate).await.unwrap();
    connect(&server, &new.certificate).await.unwrap_err();

    // Half of a change: the certificate is new, the key is still the old one.
    fs::write(&files.certificate, &new.certificate).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    connect(&server, &old.certificate).await.unwrap();

    fs::write(&files.private_key, &new.private_key).unwrap();
    timeout(PATIENCE, async {
        while connect(&server, &new.certificate).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the new certificate should be served");
    connect(&server, &old.certificate).await.unwrap_err();
    call(&before, "core").await.unwrap();
}

#[test]
fn each_bad_file_is_named_with_what_would_be_right() {
    let directory = TempDir::new().unwrap();
    let good = pair();
    let spoil = |certificate: &str, private_key: &str| {
        let files = write(
            directory.path(),
            &Pair {
                certificate: certificate.to_owned(),
                private_key: private_key.to_owned(),
            },
        );
        Listener::bind(&with_tls(files)).unwrap_err()
    };
    let names = |error: &TransportError, words: &[&str]| {
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "{word} is not in: {text}");
        }
    };

    let error = spoil("not a certificate", &good.private_key);
    assert!(matches!(error, TransportError::NotPem { .. }));
    names(&error, &["tls.crt", "BEGIN CERTIFICATE"]);

    let error = spoil(&good.certificate, "not a key");
    assert!(matches!(error, TransportError::NotPem { .. }));
    names(&error, &["tls.key", "BEGIN PRIVATE KEY"]);

    let error = spoil(&good.certificate, &pair().private_key);
    assert!(matches!(error, TransportError::KeyMismatch { .. }));
    names(&error, &["tls.crt", "tls.key", "does not belong"]);

    let hollow = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let error = spoil(&good.certificate, hollow);
    assert!(matches!(error, TransportError::Unusable { .. }));
    names(&error, &["private key", "tls.key"]);

    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = spoil(hollow, &good.private_key);
    assert!(matches!(error, TransportError::Unusable { .. }));
    names(&error, &["certificate", "tls.crt"]);
}

#[test]
fn a_missing_file_is_named() {
    let directory = TempDir::new().unwrap();
    let files = TlsFiles {
        private_key: PathBuf::from("/nonexistent/tls.key"),
        ..write(directory.path(), &pair())
    };
    let error = Listener::bind(&with_tls(files)).unwrap_err();
    assert!(matches!(error, TransportError::Unreadable { .. }));
    let text = error.to_string();
    assert!(text.contains("/nonexistent/tls.key"), "{text}");
}
