//! TLS: a given CA is trusted, and nobody else is.

mod support;

use std::time::Duration;

use countersign_client::{Client, Requirement, ValidateError};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};

#[tokio::test]
async fn a_given_ca_is_trusted_and_no_other() {
    let ours = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let theirs = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let identity = Identity::from_pem(ours.cert.pem(), ours.signing_key.serialize_pem());
    tokio::spawn(
        Server::builder()
            .tls_config(ServerTlsConfig::new().identity(identity))
            .unwrap()
            .add_service(support::auth_service())
            .serve_with_incoming(TcpIncoming::from(listener)),
    );
    let validate = async |ca: String| {
        let client = Client::builder(format!("https://localhost:{port}"))
            .ca_certificate(ca)
            .validation_timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        client.validate_token("token", &Requirement::new()).await
    };
    validate(ours.cert.pem()).await.unwrap();
    let error = validate(theirs.cert.pem()).await.unwrap_err();
    let ValidateError::CouldNotTell(error) = error else {
        panic!("{error}");
    };
    assert!(error.message.contains("certificate"), "{error}");
}
