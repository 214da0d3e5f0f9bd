//! A database that takes questions and does not answer: all who wait for it ask
//! one question together, and hold little.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{Backend, Details, Gateway, Mode, World, eventually, on_a_backend, say};
use tokio::task::JoinSet;
use tonic::{Request, Status};

use crate::ALL_WITHIN;

const CONNECTIONS: usize = 50;
/// On each connection.
const AT_ONCE: usize = 256;
/// Of the server's memory, for each call that waits.
const MOST_BYTES: u64 = 8 * 1024;

#[test]
fn validations_that_wait_for_a_hanging_database_hold_little() {
    on_a_backend(Backend::Postgres, async |backend| {
        let world = World::on(backend)
            .with_lines()
            .set("validation.feed_bound", "2s")
            .start()
            .await;
        let mina = world.sign_up().await;
        let token = mina.sign_in().await.access_token;
        let replica = world.replica(0);
        let gateways: Vec<Gateway> = (0..CONNECTIONS).map(|_| replica.gateway()).collect();
        for gateway in &gateways {
            assert_eq!(gateway.judge(&token).await, "VALID");
        }
        world.database_line().set(Mode::Swallow);
        let waits = || async {
            // Nothing is known of revocations any more.
            let asked = ask(&gateways[0], &token, Duration::from_millis(500)).await;
            asked.is_err().then_some(())
        };
        eventually("the feed is too old", ALL_WITHIN, waits).await;

        let before = replica.resident_memory();
        let calls_at_once = (CONNECTIONS * AT_ONCE) as u64;
        let mut calls = JoinSet::new();
        for gateway in &gateways {
            for _ in 0..AT_ONCE {
                let (gateway, token) = (gateway.clone(), token.clone());
                calls.spawn(async move { ask(&gateway, &token, Duration::from_secs(20)).await });
            }
        }
        let mut outcomes = BTreeMap::<String, usize>::new();
        let mut most = 0;
        while let Some(answer) = calls.join_next().await {
            most = most.max(replica.resident_memory());
            let outcome = match answer.expect("no panic") {
                Ok(_) => "OK".to_owned(),
                Err(status) => Details::of(&status).reason,
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
        let grown = most.saturating_sub(before);
        let after = replica.resident_memory().saturating_sub(before);
        say!(
            "{calls_at_once} validations beside a hanging database: {outcomes:?}; memory {grown} \
             bytes more, {after} afterwards"
        );
        assert_eq!(outcomes.get("OK"), None);
        assert!(grown <= calls_at_once * MOST_BYTES, "{grown}");

        world.database_line().set(Mode::Pass);
        let again = || async { (gateways[0].judge(&token).await == "VALID").then_some(()) };
        eventually("tokens are validated again", ALL_WITHIN, again).await;
    });
}

/// Asks with a time limit of the caller's.
async fn ask(gateway: &Gateway, token: &str, limit: Duration) -> Result<(), Status> {
    let mut request = Request::new(v1::ValidateTokenRequest {
        access_token: token.into(),
        ..Default::default()
    });
    request.set_timeout(limit);
    gateway.auth().validate_token(request).await.map(drop)
}
