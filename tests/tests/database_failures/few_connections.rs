//! One and two connections are few, and enough.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, PASSWORD, SERVICES, Tally, World, crowd, email, on_backends_at_once, reason,
};
use tokio::time::timeout;
use tonic::Status;

use crate::SERVERS;

const REFRESHES: usize = 50;
const AT_ONCE: usize = 16;
const LEAVERS: usize = 8;
/// An account at a provider that nobody has.
const NEVER: &str = "00000000-0000-7000-8000-000000000000";
/// A call that takes longer has failed.
const TOO_LONG: Duration = Duration::from_secs(5);
/// After so many failures in a row it is not tried again.
const ENOUGH: usize = 3;

#[test]
fn the_main_job_works_over_one_connection_and_over_two() {
    on_backends_at_once(&SERVERS, async |backend| {
        let (one, two) = tokio::join!(main_job(backend, 1), main_job(backend, 2));
        for (connections, outcomes) in [(1, &one), (2, &two)] {
            countersign_tests::say!(
                "database.max_connections = {connections} on {backend}: {} of {} calls succeeded \
                 ({outcomes})",
                outcomes.count("OK"),
                outcomes.total()
            );
        }
        one.assert_only(&["OK"]);
        two.assert_only(&["OK"]);
    });
}

async fn main_job(backend: Backend, connections: i64) -> Tally {
    let world = World::on(backend)
        .set("database.max_connections", connections)
        .start()
        .await;
    let mina = world.sign_up().await;
    let mut sessions = Vec::new();
    for _ in 0..AT_ONCE {
        sessions.push(mina.sign_in().await);
    }
    let mut outcomes = Tally::default();
    let mut tokens = sessions[0].clone();
    let mut failures = 0;
    for _ in 0..REFRESHES {
        let refreshed = in_time(mina.gateway.refresh(&tokens.refresh_token)).await;
        outcomes.add(&reason(&refreshed));
        match refreshed {
            Ok(next) => tokens = next,
            Err(_) => failures += 1,
        }
        if failures == ENOUGH {
            outcomes.add("given up");
            break;
        }
    }
    sessions[0] = tokens;
    for _ in 0..5 {
        let refreshed = refresh_at_once(&world, &sessions).await;
        for (session, refreshed) in sessions.iter_mut().zip(refreshed) {
            outcomes.add(&reason(&refreshed));
            if let Ok(next) = refreshed {
                *session = next;
            }
        }
        if outcomes.count("OK") == 0 {
            break;
        }
    }
    outcomes.add(&reason(&in_time(mina.sessions(&sessions[1])).await));
    let gateway = &mina.gateway;
    let address = world.new_email();
    let signing_up = async {
        let proof = gateway.prove(email(&address), v1::Purpose::SignUp).await?;
        let user = gateway.sign_up_proven(email(&address), "", PASSWORD, &proof);
        user.await
    };
    outcomes.add(&reason(&in_time(signing_up).await));
    outcomes.add(&reason(
        &in_time(gateway.revoke(&sessions[2].access_token)).await,
    ));
    for service in SERVICES {
        let is_serving = gateway.is_serving(service).await;
        outcomes.add(if is_serving { "OK" } else { "not serving" });
    }
    outcomes.add_all(&let_go(&world).await);
    outcomes
}

/// Many at once unlink what they do not have, and leave: units of work that read, too.
async fn let_go(world: &World) -> Tally {
    let mut people = Vec::new();
    for _ in 0..LEAVERS {
        let person = world.sign_up().await;
        let token = person.sign_in().await.access_token;
        people.push((person, token));
    }
    let unlinked = crowd(people.len(), |member| {
        let (mut federation, token) = (world.gateway().federation(), people[member].1.clone());
        let unlink = v1::UnlinkFederatedIdentityRequest {
            access_token: token,
            federated_identity_id: NEVER.into(),
            ..Default::default()
        };
        async move { in_time(federation.unlink_federated_identity(unlink)).await }
    });
    let unlinked = unlinked.await;
    let withdrawn = crowd(people.len(), |member| {
        let (gateway, id) = (world.gateway(), people[member].0.user_id.clone());
        async move { in_time(gateway.withdraw(&id)).await }
    });
    let mut outcomes = Tally::default();
    for outcome in unlinked {
        outcomes.add(match reason(&outcome).as_str() {
            "FEDERATED_IDENTITY_NOT_FOUND" => "OK",
            other => other,
        });
    }
    for outcome in withdrawn.await {
        outcomes.add(&reason(&outcome));
    }
    outcomes
}

async fn refresh_at_once(
    world: &World,
    sessions: &[v1::Tokens],
) -> Vec<Result<v1::Tokens, Status>> {
    let gateway = world.gateway();
    crowd(sessions.len(), |member| {
        let (gateway, token) = (gateway.clone(), sessions[member].refresh_token.clone());
        async move { in_time(gateway.refresh(&token)).await }
    })
    .await
}

async fn in_time<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let answer = timeout(TOO_LONG, call).await;
    answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("too long")))
}
