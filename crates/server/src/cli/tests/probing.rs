//! The health check against real servers, and where there is none.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;

use countersign_transport::{Listener, ServerHandle, TlsFiles, TransportConfig};
use tempfile::TempDir;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

use crate::cli::healthcheck::{Health, ask, read};

/// A server that implements health and nothing else.
struct Server {
    handle: ServerHandle,
    reporter: HealthReporter,
}

impl Server {
    fn start(tls: Option<TlsFiles>) -> Self {
        let config = TransportConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            cores: std::num::NonZeroUsize::new(1),
            tls,
            ..TransportConfig::default()
        };
        let (reporter, service) = health_reporter();
        let listener = Listener::bind(&config).expect("a free port");
        let handle = listener
            .serve(move || Routes::new(service.clone()).prepare())
            .expect("the threads start");
        Self { handle, reporter }
    }

    async fn probe(&self, arguments: &str) -> Health {
        let address = self.handle.local_addr();
        probe(&format!("-addr={address} {arguments}")).await
    }
}

async fn probe(arguments: &str) -> Health {
    let words: Vec<OsString> = arguments.split_whitespace().map(OsString::from).collect();
    let arguments = read(&words).unwrap_or_else(|_| panic!("bad arguments: {arguments}"));
    ask(&arguments, &mut Vec::new()).await
}

#[tokio::test]
async fn a_server_that_serves_is_0() {
    let server = Server::start(None);
    let health = server.probe("").await;
    assert_eq!(health, Health::Serving);
    assert_eq!(health.exit_code(), 0);
    assert_eq!(format!("status: {health}"), "status: SERVING");
}

#[tokio::test]
async fn the_time_is_told_if_asked_for() {
    let server = Server::start(None);
    let words = [format!("-addr={}", server.handle.local_addr()), "-v".into()];
    let arguments = read(&words.map(OsString::from)).expect("good arguments");
    let mut notes = Vec::new();
    assert_eq!(ask(&arguments, &mut notes).await, Health::Serving);
    let notes = String::from_utf8(notes).expect("text");
    assert!(notes.contains("connected after"), "{notes}");
    assert!(notes.contains("answered after"), "{notes}");
}

#[tokio::test]
async fn wrong_arguments_are_1() {
    let server = Server::start(None);
    let health = server.probe("-tls-no-verify").await;
    assert!(matches!(health, Health::WrongArguments(_)), "{health:?}");
    assert_eq!(health.exit_code(), 1);
    assert_eq!(probe("-addr=nowhere").await.exit_code(), 1);
}

#[tokio::test]
async fn a_closed_port_is_2() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let health = probe(&format!("-addr={address}")).await;
    assert_eq!(health.exit_code(), 2, "{health:?}");
    assert!(health.to_string().contains("refused"), "{health}");
}

#[tokio::test]
async fn an_unknown_service_is_3() {
    let server = Server::start(None);
    let health = server.probe("-service=nobody").await;
    assert_eq!(health.exit_code(), 3, "{health:?}");
    assert!(
        health.to_string().contains("knows no service \"nobody\""),
        "{health}"
    );
}

#[tokio::test]
async fn a_server_without_health_is_3() {
    let config = TransportConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        ..TransportConfig::default()
    };
    let listener = Listener::bind(&config).expect("a free port");
    let server = listener
        .serve(|| Routes::default().prepare())
        .expect("the threads start");
    let health = probe(&format!("-addr={}", server.local_addr())).await;
    assert_eq!(health.exit_code(), 3, "{health:?}");
    assert!(
        health.to_string().contains("does not implement"),
        "{health}"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_3() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    let health = probe(&format!("-addr={address} -rpc-timeout=100ms")).await;
    assert_eq!(health.exit_code(), 3, "{health:?}");
    assert!(
        health.to_string().contains("no answer within 100ms"),
        "{health}"
    );
}

#[tokio::test]
async fn a_service_that_does_not_serve_is_4() {
    let server = Server::start(None);
    server
        .reporter
        .set_service_status("a.B", ServingStatus::NotServing)
        .await;
    assert_eq!(server.probe("").await.exit_code(), 0);
    let health = server.probe("-service=a.B").await;
    assert_eq!(health.exit_code(), 4, "{health:?}");
    assert!(health.to_string().contains("NOT_SERVING"), "{health}");
}

#[tokio::test]
async fn tls_is_spoken_only_with_a_server_that_is_believed() {
    let directory = TempDir::new().expect("a temporary directory");
    let files = TlsFiles {
        certificate: directory.path().join("tls.crt"),
        private_key: directory.path().join("tls.key"),
        client_ca: None,
    };
    let pair =
        rcgen::generate_simple_self_signed(["auth.internal".to_owned()]).expect("a certificate");
    fs::write(&files.certificate, pair.cert.pem()).expect("written");
    fs::write(&files.private_key, pair.signing_key.serialize_pem()).expect("written");
    let ca = files.certificate.display().to_string();
    let server = Server::start(Some(files));

    for (arguments, code) in [
        (
            format!("-tls -tls-ca-cert={ca} -tls-server-name=auth.internal"),
            0,
        ),
        ("-tls -tls-no-verify".into(), 0),
        (format!("-tls -tls-ca-cert={ca}"), 2),
        ("-tls".into(), 2),
        ("-tls -tls-ca-cert=/nowhere/ca.pem".into(), 1),
        (String::new(), 2),
    ] {
        let health = server.probe(&arguments).await;
        assert_eq!(health.exit_code(), code, "{arguments}: {health:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks_for_one() {
    let directory = TempDir::new().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    let own = |name: &str| {
        let pair = rcgen::generate_simple_self_signed(["auth.internal".to_owned()]);
        let pair = pair.expect("a certificate");
        fs::write(at(&format!("{name}.crt")), pair.cert.pem()).expect("written");
        let key = pair.signing_key.serialize_pem();
        fs::write(at(&format!("{name}.key")), key).expect("written");
    };
    for name in ["tls", "client", "other"] {
        own(name);
    }
    let server = Server::start(Some(TlsFiles {
        certificate: at("tls.crt"),
        private_key: at("tls.key"),
        client_ca: Some(at("client.crt")),
    }));
    let shown = |name: &str| {
        let path = |end: &str| at(&format!("{name}.{end}")).display().to_string();
        format!(
            "-tls -tls-no-verify -tls-client-cert={} -tls-client-key={}",
            path("crt"),
            path("key")
        )
    };
    for (arguments, code) in [
        (shown("client"), [0, 0]),
        ("-tls -tls-no-verify".to_owned(), [0, 0]),
        // With TLS 1.3 the refusal comes with the connection or with the call.
        (shown("other"), [2, 3]),
        (shown("nowhere"), [1, 1]),
    ] {
        let health = server.probe(&arguments).await;
        assert!(
            code.contains(&health.exit_code()),
            "{arguments}: {health:?}"
        );
    }
}
