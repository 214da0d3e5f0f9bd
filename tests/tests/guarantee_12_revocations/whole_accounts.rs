//! Whatever puts a user out ends all sessions: on the replica that did it with its
//! answer, on another within the bound, with Redis and without.

use std::fmt;
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, Mode, PASSWORD, Person, Times, World, by_token, email, on_backends_at_once,
};
use tokio::time::{Instant, sleep};

const SHARED: [Backend; 2] = [Backend::Postgres, Backend::MariaDb];
/// How long another replica may go on accepting a token.
const BOUND: Duration = Duration::from_secs(2);
const PEOPLE: usize = 4;
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(5);
const CODE: &str = "135790";
const NEW_PASSWORD: &str = "nine herons on the far pier";

/// What puts a user out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Suspension,
    Withdrawal,
    OwnWithdrawal,
    Deletion,
    PasswordChange,
    PasswordReset,
    AllSessions,
}

const WAYS: [Way; 7] = [
    Way::Suspension,
    Way::Withdrawal,
    Way::OwnWithdrawal,
    Way::Deletion,
    Way::PasswordChange,
    Way::PasswordReset,
    Way::AllSessions,
];

/// What was seen of the tokens of one way.
#[derive(Default)]
struct Seen {
    /// From the answer to the other replica's no.
    after: Vec<Duration>,
    /// How many were accepted after the answer by the replica that gave it.
    at_home: usize,
}

#[test]
fn whatever_puts_a_user_out_is_seen_everywhere_within_the_bound() {
    on_backends_at_once(&SHARED, measure);
}

async fn measure(backend: Backend) {
    // The first replica is asked: the line to Redis is its.
    let world = World::on(backend).replicas(2).with_lines().start().await;
    let (mut late, mut at_home) = (Vec::new(), 0);
    for redis in [Mode::Pass, Mode::Cut] {
        world.redis_line().set(redis);
        for way in WAYS {
            let mut seen = Seen::default();
            for _ in 0..PEOPLE {
                put_out(&world, way, &mut seen).await;
            }
            let times = Times::of(seen.after);
            let with = match redis {
                Mode::Pass => "with Redis",
                _ => "with Redis cut",
            };
            countersign_tests::say!(
                "guarantee 12 on {backend}, {with}: {way}: from the answer to the other \
                 replica's no: {times}; accepted by the one that answered: {}",
                seen.at_home
            );
            at_home += seen.at_home;
            if times.max() > BOUND {
                late.push((with, way));
            }
        }
    }
    assert_eq!(at_home, 0, "accepted after the answer");
    assert!(late.is_empty(), "seen later than {BOUND:?}: {late:?}");
}

/// Puts somebody out by way of the second replica, and asks the first.
async fn put_out(world: &World, way: Way, seen: &mut Seen) {
    let (asked, gateway) = (world.replica(0).gateway(), world.replica(1).gateway());
    let mina = world.sign_up_at(&gateway).await;
    let (own, other) = (mina.sign_in().await, mina.sign_in().await);
    let mut tokens = vec![other.access_token];
    // Who changes the password stays signed in.
    if way != Way::PasswordChange {
        tokens.push(own.access_token.clone());
    }
    let proof = prove_for_a_reset(&gateway, &mina).await;
    for token in &tokens {
        assert_eq!(asked.judge(token).await, "VALID");
    }

    way.take(&mina, &own, &proof).await;
    let answered = Instant::now();
    for token in &tokens {
        seen.at_home += usize::from(gateway.judge(token).await != "REVOKED");
    }
    for token in &tokens {
        let after = loop {
            let asking_at = answered.elapsed();
            let word = asked.judge(token).await;
            if word == "REVOKED" || asking_at > BOUND * 3 {
                break asking_at;
            }
            assert_eq!(word, "VALID", "neither yes nor no");
            sleep(BETWEEN_QUESTIONS).await;
        };
        seen.after.push(after);
    }
    let kept = way == Way::PasswordChange;
    let word = asked.judge(&own.access_token).await;
    assert_eq!(word, if kept { "VALID" } else { "REVOKED" }, "{way}");
}

async fn prove_for_a_reset(gateway: &Gateway, mina: &Person) -> String {
    let request = v1::StartPasswordResetRequest {
        identifier: Some(email(&mina.email)),
        code: CODE.into(),
        ..Default::default()
    };
    let id = gateway.ask_for_reset(request).await.expect("a code");
    gateway.check_code(&id, CODE).await.expect("a proof")
}

impl Way {
    async fn take(self, mina: &Person, own: &v1::Tokens, proof: &str) {
        let (gateway, id) = (&mina.gateway, &mina.user_id);
        let done = match self {
            Self::Suspension => gateway.suspend(id, "").await.map(drop),
            Self::Withdrawal => gateway.withdraw(id).await.map(drop),
            Self::OwnWithdrawal => gateway.leave(own).await,
            Self::Deletion => gateway.delete_user(id).await,
            Self::PasswordChange => mina.change_password(own, PASSWORD, NEW_PASSWORD).await,
            Self::PasswordReset => gateway.reset_password(proof, NEW_PASSWORD).await,
            Self::AllSessions => {
                let request = v1::RevokeUserSessionsRequest {
                    person: Some(by_token(own)),
                    keep_current: false,
                };
                let ended = gateway.sessions().revoke_user_sessions(request).await;
                ended.map(drop)
            }
        };
        done.unwrap_or_else(|status| panic!("{self}: {status:?}"));
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Suspension => "a suspension",
            Self::Withdrawal => "a withdrawal",
            Self::OwnWithdrawal => "a withdrawal by the person",
            Self::Deletion => "a deletion",
            Self::PasswordChange => "a change of the password",
            Self::PasswordReset => "a reset of the password",
            Self::AllSessions => "the end of all sessions",
        })
    }
}
