//! Batches whose messages do not end: they are given up when their time is over, and
//! nothing of what they held is missing for those that come after them.

use std::future::poll_fn;
use std::net::SocketAddr;

use countersign_proto::v1;
use countersign_tests::{Backend, World, on_a_backend, say};

use prost::bytes::Bytes;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::codegen::http::Request;

use super::call;

const CONNECTIONS: usize = 6;
/// On each connection, with 3 MiB each: together more than all messages may hold that
/// are being read (64 MiB).
const BATCHES: usize = 4;
const HELD: usize = 3 * 1024 * 1024;

/// DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED.
const GIVEN_UP: [&str; 2] = ["4", "8"];

#[test]
fn batches_that_do_not_end_are_given_up_and_hold_nothing() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let address = world.replica(0).address();
        for _ in 0..3 {
            let mut connections = JoinSet::new();
            for _ in 0..CONNECTIONS {
                connections.spawn(hold(address));
            }
            let answers: Vec<_> = connections.join_all().await.concat();
            say!("{} batches that do not end: {answers:?}", answers.len());
            assert_eq!(answers.len(), CONNECTIONS * BATCHES);
            for answer in &answers {
                assert!(GIVEN_UP.contains(&answer.as_str()), "{answers:?}");
            }
            assert!(answers.contains(&"4".to_owned()), "{answers:?}");
        }
        // All that messages may hold is free again.
        let users = (0..500).map(|number| v1::ImportedUser {
            external_id: format!("user-{number}"),
            identifiers: vec![v1::ImportedIdentifier {
                identifier: Some(countersign_tests::email(&format!("u{number}@example.com"))),
                verified: true,
            }],
            ..Default::default()
        });
        let outcomes = call(&world, users.collect()).await.expect("imported");
        assert_eq!(outcomes.len(), 500);
    });
}

/// The statuses of batches on one connection that are all but finished.
async fn hold(address: SocketAddr) -> Vec<String> {
    let stream = TcpStream::connect(address).await.expect("connected");
    let (mut requests, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let mut batches = JoinSet::new();
    for _ in 0..BATCHES {
        requests = requests.ready().await.expect("open");
        let request = Request::post("http://localhost/countersign.v1.UserService/ImportUsers")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", "2S")
            .body(())
            .expect("a request");
        let (response, mut sent) = requests.send_request(request, false).expect("open");
        batches.spawn(async move {
            let length = u32::try_from(HELD).expect("below 4 GiB").to_be_bytes();
            let mut message = [&[0], &length[..]].concat();
            message.resize(HELD, b'a');
            let mut message = Bytes::from(message);
            let sending = async {
                while !message.is_empty() {
                    sent.reserve_capacity(message.len());
                    let Some(Ok(room)) = poll_fn(|cx| sent.poll_capacity(cx)).await else {
                        return;
                    };
                    let part = message.split_to(room.min(message.len()));
                    if sent.send_data(part, false).is_err() {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            };
            let answered = async {
                let answer = response.await.expect("an answer");
                let status = answer.headers().get("grpc-status");
                status
                    .map_or("none", |status| status.to_str().expect("ASCII"))
                    .to_owned()
            };
            tokio::pin!(answered);
            tokio::select! {
                answer = &mut answered => answer,
                () = sending => answered.await,
            }
        });
    }
    let answers = batches.join_all().await;
    connection.abort();
    answers
}
