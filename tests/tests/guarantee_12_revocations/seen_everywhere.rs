//! How long after the answer to a revocation another replica rejects the token.

use std::sync::Arc;
use std::time::Duration;

use countersign_tests::{
    Backend, Gateway, Mode, PASSWORD, Times, World, email, on_backends_at_once,
};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

#[test]
fn a_revocation_is_seen_everywhere_within_the_bound() {
    on_backends_at_once(&SHARED, measure);
}

const SHARED: [Backend; 2] = [Backend::Postgres, Backend::MariaDb];
/// How long another replica may go on accepting a token.
const BOUND: Duration = Duration::from_secs(2);
const REVOCATIONS: usize = 200;
const PEOPLE: usize = 10;
/// How many tokens are revoked and asked about at the same time.
const AT_ONCE: usize = 8;
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(5);

/// What was seen of one revocation.
struct Seen {
    /// From the answer to the first question that the other replica answered
    /// with no.
    after: Duration,
    /// Whether the replica that revoked it said yes after its answer.
    at_home: bool,
    /// How often it was accepted after having been rejected.
    revived: usize,
}

async fn measure(backend: Backend) {
    // The first replica is asked: the lines are its.
    let world = World::on(backend).replicas(2).with_lines().start().await;
    let with_redis = revoke_many(&world).await;
    world.redis_line().set(Mode::Cut);
    let without_redis = revoke_many(&world).await;
    for (name, seen) in [
        ("with Redis", &with_redis),
        ("with Redis cut", &without_redis),
    ] {
        let times = Times::of(seen.iter().map(|seen| seen.after).collect());
        let at_home = seen.iter().filter(|seen| seen.at_home).count();
        let revived: usize = seen.iter().map(|seen| seen.revived).sum();
        countersign_tests::say!(
            "guarantee 12 on {backend}, {name}: from the answer to the other replica's no: \
             {times}; accepted by the one that revoked it {at_home}, after having been refused \
             {revived}"
        );
        assert!(times.max() <= BOUND, "{name}: seen after {:?}", times.max());
        assert_eq!((at_home, revived), (0, 0), "{name}");
    }
}

/// Revokes tokens by way of the second replica, and asks the first about them.
async fn revoke_many(world: &World) -> Vec<Seen> {
    let (asked, revoking) = (world.replica(0).gateway(), world.replica(1).gateway());
    let mut tokens = Vec::new();
    for _ in 0..PEOPLE {
        let mina = world.sign_up_at(&revoking).await;
        for _ in 0..REVOCATIONS / PEOPLE {
            let signed_in = revoking.sign_in(email(&mina.email), PASSWORD).await;
            let token = signed_in.expect("tokens").access_token;
            assert_eq!(asked.judge(&token).await, "VALID");
            tokens.push(token);
        }
    }
    let queue = Arc::new(Mutex::new(tokens));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (asked, revoking, queue) = (asked.clone(), revoking.clone(), Arc::clone(&queue));
        workers.spawn(async move {
            let mut seen = Vec::new();
            loop {
                let Some(token) = queue.lock().await.pop() else {
                    return seen;
                };
                seen.push(revoke_one(&revoking, &asked, &token).await);
            }
        });
    }
    workers.join_all().await.into_iter().flatten().collect()
}

async fn revoke_one(revoking: &Gateway, asked: &Gateway, token: &str) -> Seen {
    revoking.revoke(token).await.expect("revoked");
    let answered = Instant::now();
    let at_home = revoking.judge(token).await != "REVOKED";
    let after = loop {
        let asking_at = answered.elapsed();
        let word = asked.judge(token).await;
        if word == "REVOKED" || asking_at > BOUND * 3 {
            break asking_at;
        }
        assert_eq!(word, "VALID", "neither yes nor no");
        sleep(BETWEEN_QUESTIONS).await;
    };
    let mut revived = 0;
    for _ in 0..3 {
        sleep(BETWEEN_QUESTIONS).await;
        revived += usize::from(asked.judge(token).await == "VALID");
    }
    Seen {
        after,
        at_home,
        revived,
    }
}
