//! What `Client::check` tells apart, against servers that are there, are not,
//! or are something else.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use countersign_client::{CheckError, Client, RejectionReason, proto};
use proto::validate_token_response::Verdict;
use support::{Answer, Fake, status, unavailable};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};

async fn check(endpoint: &str) -> Result<(), CheckError> {
    let client = Client::builder(endpoint)
        .validation_timeout(Duration::from_millis(500))
        .build();
    client.unwrap().check().await
}

/// A listener and its address.
async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A server that says this, whatever it is asked.
async fn server_that_says(answer: &'static str) -> String {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(answer.as_bytes()).await.ok();
            // Closing with something unread would be a reset.
            stream.shutdown().await.ok();
            tokio::io::copy(&mut stream, &mut tokio::io::sink())
                .await
                .ok();
        }
    });
    format!("http://{address}")
}

/// A fake that rejects what is no token.
async fn countersign() -> Fake {
    let fake = Fake::start().await;
    let reason = RejectionReason::Malformed.into();
    let rejected = Verdict::Rejected(proto::Rejection {
        reason,
        ..Default::default()
    });
    fake.script.set_verdict(rejected);
    fake
}

#[tokio::test]
async fn a_client_that_may_validate_is_well() {
    let fake = countersign().await;
    check(&fake.endpoint).await.unwrap();
    assert_eq!(fake.script.calls()[0].rpc, "validate_token");
    // Starting together is no fault.
    fake.script.next([unavailable(Duration::from_millis(1))]);
    check(&fake.endpoint).await.unwrap();
}

#[tokio::test]
async fn key_role_and_trouble_are_told_apart() {
    let fake = countersign().await;
    let answer = |code, reason| Answer::Fail(status(code, reason, |_| ()));
    fake.script
        .next([answer(Code::Unauthenticated, "CALLER_UNKNOWN")]);
    let error = check(&fake.endpoint).await.unwrap_err();
    assert!(matches!(error, CheckError::WrongApiKey(_)), "{error}");
    fake.script
        .next([answer(Code::PermissionDenied, "CALLER_NOT_PERMITTED")]);
    let error = check(&fake.endpoint).await.unwrap_err();
    assert!(matches!(error, CheckError::NotPermitted(_)), "{error}");
    for reason in ["INTERNAL", "INVENTED_LATER"] {
        fake.script.next([answer(Code::Internal, reason)]);
        let error = check(&fake.endpoint).await.unwrap_err();
        assert!(matches!(error, CheckError::Unavailable(_)), "{error}");
    }
    fake.script.next([unavailable(Duration::from_secs(60))]);
    let error = check(&fake.endpoint).await.unwrap_err();
    let CheckError::Unavailable(trouble) = error else {
        panic!("{error}");
    };
    assert_eq!(trouble.retry_after, Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn where_nothing_answers_there_is_no_server() {
    let (listener, address) = listen().await;
    drop(listener);
    let (silent, silent_address) = listen().await;
    let closing = server_that_says("").await;
    for endpoint in [
        format!("http://{address}"),
        format!("https://{address}"),
        format!("http://{silent_address}"),
        "http://countersign.invalid:50051".to_owned(),
        closing,
    ] {
        let error = check(&endpoint).await.unwrap_err();
        assert!(
            matches!(error, CheckError::NoServer(_)),
            "{endpoint}: {error:?}"
        );
    }
    drop(silent);
}

#[tokio::test]
async fn another_server_is_not_countersign() {
    let web = server_that_says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let over_tls = web.replace("http://", "https://");
    let mail = server_that_says("220 mail.example ESMTP\r\n").await;
    // A TLS alert: unexpected message.
    let tls = server_that_says("\x15\x03\x01\0\x02\x02\x0a").await;
    let (listener, address) = listen().await;
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::builder().add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let grpc = format!("http://{address}");
    // It takes everything for a token.
    let careless = Fake::start().await.endpoint;
    for endpoint in [web, over_tls, mail, tls, grpc, careless] {
        let error = check(&endpoint).await.unwrap_err();
        assert!(
            matches!(error, CheckError::NotCountersign(_)),
            "{endpoint}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_not_countersign() {
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = certificate.cert.pem();
    let identity = Identity::from_pem(&pem, certificate.signing_key.serialize_pem());
    let (listener, address) = listen().await;
    let server = Server::builder().tls_config(ServerTlsConfig::new().identity(identity));
    let server = server.unwrap().add_service(support::auth_service());
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let client = Client::builder(format!("https://localhost:{}", address.port()))
        .ca_certificate(other.cert.pem())
        .build()
        .unwrap();
    let error = client.check().await.unwrap_err();
    assert!(matches!(error, CheckError::NotCountersign(_)), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
}
