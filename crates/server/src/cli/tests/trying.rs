//! `countersign try` where it fails. That it succeeds is shown by the tests of
//! the whole system.

use std::net::{SocketAddr, TcpListener};

use clap::Parser as _;
use countersign_transport::{Listener, TransportConfig};
use tonic::service::Routes;

use crate::cli::arguments::{Arguments, Command};
use crate::cli::try_command;

async fn try_at(address: SocketAddr, flags: &[&str]) -> (String, String) {
    let address = address.to_string();
    let words = ["countersign", "try", "--addr", &address];
    let arguments = Arguments::try_parse_from(words.iter().chain(flags)).expect("good arguments");
    let Some(Command::Try(arguments)) = arguments.command else {
        panic!("another command");
    };
    let mut out = Vec::new();
    let failure = try_command::execute(&arguments, &mut out)
        .await
        .expect_err("it fails");
    (String::from_utf8(out).expect("text"), failure.to_string())
}

#[tokio::test]
async fn without_a_server_it_says_how_to_start_one() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let (out, failure) = try_at(address, &[]).await;
    assert_eq!(out, "");
    assert!(
        failure.starts_with(&format!("cannot connect to {address}: ")),
        "{failure}"
    );
    assert!(failure.ends_with("countersign serve"), "{failure}");
}

#[tokio::test]
async fn it_names_the_call_that_failed_and_what_to_check() {
    let config = TransportConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        ..TransportConfig::default()
    };
    let listener = Listener::bind(&config).expect("a free port");
    let server = listener
        .serve(|| Routes::default().prepare())
        .expect("the threads start");
    let (out, failure) = try_at(server.local_addr(), &["--api-key", "csk_s3cret"]).await;
    assert!(out.contains("1. VerificationService.SendCode"), "{out}");
    assert!(
        failure.starts_with("VerificationService.SendCode failed: Unimplemented"),
        "{failure}"
    );
    assert!(
        failure.ends_with("is a Countersign server at this address?"),
        "{failure}"
    );
    assert!(
        !format!("{out}{failure}").contains("s3cret"),
        "{out}{failure}"
    );
}

#[tokio::test]
async fn an_api_key_that_cannot_be_sent_is_refused() {
    let address = ([127, 0, 0, 1], 1).into();
    let (_, failure) = try_at(address, &["--api-key", "line\nbreak"]).await;
    assert!(
        failure.starts_with("the API key must be printable ASCII"),
        "{failure}"
    );
}
