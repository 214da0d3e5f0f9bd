//! Guarantees 1, 2 and 3: a refresh token is spent once, also in a race; a lost
//! reply logs nobody out; reuse of an older token ends the session.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PATIENCE, ReplyLoser, Tally, World, crowd, eventually, generation,
    on_every_backend, reason,
};
use futures_util::future::join_all;
use prost::Message as _;
use tokio::time::sleep;
use tonic::Status;

on_every_backend!(
    many_refreshes_of_one_token_have_one_successor,
    many_late_repeats_have_one_successor,
    a_lost_reply_logs_nobody_out,
    reuse_inside_the_grace_time_ends_the_session,
    reuse_after_the_grace_time_ends_the_session,
);

const CROWD: usize = 64;
const GRACE: Duration = Duration::from_secs(1);

async fn many_refreshes_of_one_token_have_one_successor(backend: Backend) {
    const ROUNDS: usize = 20;
    let world = World::start(backend, backend.replicas()).await;
    let mut token = world.sign_up().await.sign_in().await.refresh_token;
    let mut most = 0;
    for _ in 0..ROUNDS {
        let successors = refresh_together(&world, &token).await;
        most = most.max(successors.len());
        let successor = successors.first().expect("a successor");
        assert_eq!(generation(successor), generation(&token) + 1);
        token.clone_from(successor);
    }
    report(&world, ROUNDS, most);
    assert_eq!(most, 1);
}

async fn many_late_repeats_have_one_successor(backend: Backend) {
    const ROUNDS: usize = 3;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("tokens.refresh_grace", "1s")
        .start()
        .await;
    let mina = world.sign_up().await;
    let mut token = mina.sign_in().await.refresh_token;
    let mut most = 0;
    for _ in 0..ROUNDS {
        let unheard = mina.gateway.refresh(&token).await.expect("a reply");
        sleep(GRACE + Duration::from_millis(100)).await;
        let successors = refresh_together(&world, &token).await;
        most = most.max(successors.len());
        let successor = successors.first().expect("a successor");
        assert_ne!(*successor, unheard.refresh_token, "that one is dead");
        assert_eq!(generation(successor), generation(&token) + 2);
        token.clone_from(successor);
    }
    report(&world, ROUNDS, most);
    assert_eq!(most, 1);
}

async fn a_lost_reply_logs_nobody_out(backend: Backend) {
    const SESSIONS: usize = 16;
    const REFRESHES: usize = 12;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("tokens.refresh_grace", "1s")
        .start()
        .await;
    let mina = world.sign_up().await;
    let mut lines = Vec::new();
    for replica in world.replicas() {
        lines.push(ReplyLoser::to(replica.address()).await);
    }
    let addresses: Vec<_> = lines.iter().map(ReplyLoser::address).collect();

    let mut sessions = Vec::new();
    for number in 0..SESSIONS {
        let first = mina.sign_in().await;
        let addresses = addresses.clone();
        sessions.push(async move {
            let mut kept = first.refresh_token;
            let mut refreshes = 0;
            let mut retries = 0;
            // Each try goes to another replica, by a connection of its own.
            for turn in 0..REFRESHES * 10 {
                if refreshes == REFRESHES {
                    break;
                }
                let gateway = Gateway::to(addresses[turn % addresses.len()]);
                match gateway.refresh(&kept).await {
                    Ok(tokens) => {
                        kept = tokens.refresh_token;
                        refreshes += 1;
                    }
                    Err(status) => {
                        let answer = reason::<()>(&Err(status));
                        assert!(answer.starts_with("no answer"), "logged out: {answer}");
                        retries += 1;
                        if (number + retries).is_multiple_of(2) {
                            sleep(GRACE + Duration::from_millis(100)).await;
                        }
                    }
                }
            }
            (kept, refreshes, retries)
        });
    }
    let sessions = join_all(sessions).await;

    let connections: usize = lines.iter().map(ReplyLoser::connections).sum();
    let lost: Vec<v1::Tokens> = lines
        .iter()
        .flat_map(ReplyLoser::lost)
        .map(|m| tokens(&m))
        .collect();
    let mut logged_out = 0;
    let mut forked = 0;
    for (kept, refreshes, _) in &sessions {
        assert_eq!(*refreshes, REFRESHES, "every refresh succeeds in the end");
        let Ok(next) = mina.gateway.refresh(kept).await else {
            logged_out += 1;
            continue;
        };
        // What nobody received, and is not what somebody received later, is dead.
        let unheard = lost
            .iter()
            .filter(|tokens| tokens.session_id == next.session_id);
        for tokens in unheard.filter(|tokens| tokens.refresh_token != *kept) {
            let dead = mina.gateway.refresh(&tokens.refresh_token).await;
            forked += usize::from(dead.is_ok());
        }
    }
    countersign_tests::say!(
        "guarantee 2 on {backend}, {} replica(s): {} refreshes over {connections} connections, \
         {} replies lost: sessions lost {logged_out}, families forked {forked}",
        world.replicas().len(),
        SESSIONS * REFRESHES,
        lost.len(),
    );
    assert_eq!((logged_out, forked), (0, 0));
    assert!(
        lost.len() * 10 >= connections,
        "the line loses about one reply in five"
    );
    assert!(sessions.iter().any(|(_, _, retries)| *retries > 0));
}

async fn reuse_inside_the_grace_time_ends_the_session(backend: Backend) {
    reuse_ends_the_session(backend, "30s").await;
}

async fn reuse_after_the_grace_time_ends_the_session(backend: Backend) {
    reuse_ends_the_session(backend, "0s").await;
}

async fn reuse_ends_the_session(backend: Backend, grace: &str) {
    const AGES: std::ops::RangeInclusive<usize> = 2..=10;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("tokens.refresh_grace", grace)
        .start()
        .await;
    let mina = world.sign_up().await;
    let replicas = world.gateways(1);
    let mut alive = 0;
    let mut slowest = Duration::ZERO;
    let mut asked = 0;
    for age in AGES {
        let mut family = vec![mina.sign_in().await];
        for turn in 0..10 {
            let newest = &family[turn].refresh_token;
            let next = replicas[turn % replicas.len()].refresh(newest).await;
            family.push(next.expect("the newest is good"));
        }
        let stolen = &family[10 - age].refresh_token;
        let reused = replicas[age % replicas.len()].refresh(stolen).await;
        assert_eq!(
            reason(&reused),
            "REFRESH_TOKEN_REUSED",
            "generation n-{age}"
        );

        for gateway in &replicas {
            for tokens in &family {
                asked += 2;
                let refreshed = gateway.refresh(&tokens.refresh_token).await;
                alive += usize::from(refreshed.is_ok());
            }
            let all_rejected = || async {
                let verdicts = family
                    .iter()
                    .map(|tokens| gateway.judge(&tokens.access_token));
                let verdicts = join_all(verdicts).await;
                verdicts
                    .iter()
                    .all(|verdict| verdict == "REVOKED")
                    .then_some(())
            };
            let ((), took) = eventually("all are rejected", PATIENCE, all_rejected).await;
            slowest = slowest.max(took);
        }
    }
    countersign_tests::say!(
        "guarantee 3 on {backend}, {} replica(s), grace time {grace}: generations n-2 to n-10 \
         presented again, {asked} tokens asked for: alive {alive}; the slowest replica knew \
         after {slowest:?}",
        replicas.len(),
    );
    assert_eq!(alive, 0);
    assert!(
        slowest < Duration::from_secs(10),
        "the bound of the revocation feed"
    );
}

/// Lets a crowd refresh one token, and returns the distinct successors.
async fn refresh_together(world: &World, token: &str) -> BTreeSet<String> {
    let gateways = world.gateways(4);
    let outcomes: Vec<Result<v1::Tokens, Status>> = crowd(CROWD, |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let token = token.to_owned();
        async move { gateway.refresh(&token).await }
    })
    .await;
    Tally::of(&outcomes).assert_only(&["OK"]);
    outcomes
        .into_iter()
        .flatten()
        .map(|tokens| tokens.refresh_token)
        .collect()
}

fn report(world: &World, rounds: usize, most: usize) {
    countersign_tests::say!(
        "guarantee 1 on {}, {} replica(s): {rounds} rounds of {CROWD}: distinct live successors \
         per generation at most {most}",
        world.backend(),
        world.replicas().len(),
    );
}

fn tokens(message: &[u8]) -> v1::Tokens {
    let reply = v1::RefreshTokensResponse::decode(message).expect("a reply");
    reply.tokens.expect("tokens")
}
