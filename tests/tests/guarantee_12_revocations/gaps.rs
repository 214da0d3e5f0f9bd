//! Replicas that are cut from their database or stopped while tokens are
//! revoked elsewhere: once they are back, no revoked token is good.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, Mode, PASSWORD, Person, Tally, World, ask_again_and_again, by_token,
    on_backends_at_once,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const SHARED: [Backend; 2] = [Backend::Postgres, Backend::MariaDb];

/// The replicas, by what happens to them.
const CUT: usize = 0;
const SWALLOWED: usize = 1;
const STOPPED: usize = 2;
const RESTARTED: usize = 3;
const HEALTHY: usize = 4;
const NAMES: [&str; 5] = [
    "cut from its database",
    "with a silent database",
    "stopped",
    "restarted with tokens of 10 s",
    "that was never disturbed",
];

const NEW_PASSWORD: &str = "nine herons on the far pier";
/// How far into the gap the tokens are revoked, in hundredths of it.
const MOMENTS: [u32; 3] = [2, 45, 93];
/// How long another replica may go on accepting a revoked token.
const BOUND: Duration = Duration::from_secs(2);
/// How long the replicas are asked after the gap: longer than they may take to
/// read what they have missed.
const ASKED_FOR: Duration = Duration::from_secs(14);

#[test]
fn a_gap_longer_than_any_constant_of_the_code_revives_nothing() {
    on_backends_at_once(&SHARED, |backend| {
        gap(backend, Duration::from_secs(135), false)
    });
}

#[test]
fn a_gap_of_seconds_revives_nothing() {
    on_backends_at_once(&SHARED, |backend| {
        gap(backend, Duration::from_secs(5), true)
    });
}

#[test]
#[ignore = "it takes ten minutes"]
fn a_gap_of_ten_minutes_revives_nothing() {
    on_backends_at_once(&SHARED, |backend| {
        gap(backend, Duration::from_secs(600), false)
    });
}

/// Tokens that are revoked at one moment, in every way that there is.
struct ToRevoke {
    by_access_token: Vec<v1::Tokens>,
    by_refresh_token: Vec<v1::Tokens>,
    by_session: (Person, Vec<v1::Tokens>),
    by_user: Vec<(Person, Vec<v1::Tokens>)>,
    by_password_change: Vec<(Person, Vec<v1::Tokens>)>,
    by_password_reset: (Person, Vec<v1::Tokens>),
    by_the_restarted: Vec<v1::Tokens>,
}

async fn gap(backend: Backend, lasting: Duration, is_quick: bool) {
    let mut builder = World::on(backend)
        .replicas(NAMES.len())
        .with_line_at(CUT)
        .with_line_at(SWALLOWED)
        .set("database.max_connections", 4)
        .set("tokens.access_ttl", "20m");
    if is_quick {
        builder = builder
            .set("validation.feed_bound", "1s")
            .set("validation.poll_interval", "200ms");
    }
    let world = builder.start().await;
    let healthy = world.replica(HEALTHY).gateway();
    let kept = sign_in(&world.sign_up_at(&healthy).await, 8).await;
    let mut to_revoke = Vec::new();
    for _ in MOMENTS {
        to_revoke.push(ToRevoke::new(&world, &healthy).await);
    }
    let restarted = world.replica(RESTARTED);
    restarted.configure("tokens.access_ttl", "10s");
    restarted.restart().await;

    let began = Instant::now();
    world.database_line_of(CUT).set(Mode::Cut);
    world.database_line_of(SWALLOWED).set(Mode::Swallow);
    world.replica(STOPPED).freeze().await;
    let mut revoked = Vec::new();
    for (percent, these) in MOMENTS.into_iter().zip(to_revoke) {
        sleep_until(began + lasting * percent / 100).await;
        revoked.extend(these.revoke(&world).await);
    }
    // The last revocations are due everywhere, not only the gap over.
    sleep_until((began + lasting).max(Instant::now() + BOUND)).await;
    restarted.restart().await;

    let tallies = ask_everybody(&world, &revoked, &access_tokens(&kept)).await;
    let mut accepted = 0;
    for (name, (of_revoked, of_kept)) in NAMES.iter().zip(&tallies) {
        countersign_tests::say!(
            "guarantee 12 on {backend}, after {lasting:?}, {} tokens revoked, a replica {name}: \
             VALID {} of {} answers about them ({of_revoked}); about good ones: {of_kept}",
            revoked.len(),
            of_revoked.count("VALID"),
            of_revoked.total(),
        );
        accepted += of_revoked.count("VALID");
    }
    assert_eq!(accepted, 0, "{backend}: revoked tokens were accepted");
    for (_, of_kept) in &tallies {
        of_kept.assert_only(&["VALID", "DEPENDENCY_UNAVAILABLE"]);
    }
    for replica in world.replicas() {
        let words = replica.gateway().judge_all(&access_tokens(&kept)).await;
        assert_eq!(words, ["VALID"; 8], "{backend}: good tokens at the end");
    }
}

/// Ends the gap, and asks every replica about all tokens, those that come back
/// from the very moment on. What each says about revoked and about good ones.
async fn ask_everybody(world: &World, revoked: &[String], kept: &[String]) -> Vec<(Tally, Tally)> {
    let until = Instant::now() + ASKED_FOR;
    let mut asking = JoinSet::new();
    for (number, replica) in world.replicas().iter().enumerate() {
        let (gateway, revoked, kept) = (replica.gateway(), revoked.to_vec(), kept.to_vec());
        asking.spawn(async move {
            let often = Duration::from_millis(10);
            let seldom = Duration::from_millis(100);
            let answers = tokio::join!(
                ask_again_and_again(gateway.clone(), revoked, often, until),
                ask_again_and_again(gateway, kept, seldom, until),
            );
            (number, answers)
        });
    }
    world.database_line_of(CUT).set(Mode::Pass);
    world.database_line_of(SWALLOWED).set(Mode::Pass);
    world.replica(STOPPED).thaw().await;
    let mut tallies = asking.join_all().await;
    tallies.sort_by_key(|(number, _)| *number);
    tallies.into_iter().map(|(_, answers)| answers).collect()
}

impl ToRevoke {
    async fn new(world: &World, gateway: &Gateway) -> Self {
        let somebody = async |sessions| {
            let mina = world.sign_up_at(gateway).await;
            let tokens = sign_in(&mina, sessions).await;
            (mina, tokens)
        };
        Self {
            by_access_token: somebody(8).await.1,
            by_refresh_token: somebody(8).await.1,
            by_session: somebody(8).await,
            by_user: vec![somebody(3).await, somebody(3).await],
            by_password_change: vec![somebody(4).await, somebody(4).await],
            by_password_reset: somebody(3).await,
            by_the_restarted: somebody(4).await.1,
        }
    }

    /// Revokes all of them, and returns the access tokens that are good no more.
    async fn revoke(self, world: &World) -> Vec<String> {
        let restarted = world.replica(RESTARTED).gateway();
        let (mina, sessions) = &self.by_session;
        let gateway = &mina.gateway;
        for tokens in &self.by_access_token {
            gateway.revoke(&tokens.access_token).await.expect("revoked");
        }
        for tokens in &self.by_refresh_token {
            gateway
                .revoke(&tokens.refresh_token)
                .await
                .expect("revoked");
        }
        for tokens in sessions {
            let ended = mina.end_session(tokens, &tokens.session_id).await;
            ended.expect("revoked");
        }
        for (mina, sessions) in &self.by_user {
            let request = v1::RevokeUserSessionsRequest {
                person: Some(by_token(&sessions[0])),
                keep_current: false,
            };
            let mut client = mina.gateway.sessions();
            client.revoke_user_sessions(request).await.expect("revoked");
        }
        let mut kept_by_change = Vec::new();
        for (mina, sessions) in &self.by_password_change {
            let changed = mina
                .change_password(&sessions[0], PASSWORD, NEW_PASSWORD)
                .await;
            changed.expect("changed");
            kept_by_change.push(sessions[0].access_token.clone());
        }
        let (mina, _) = &self.by_password_reset;
        let verification = mina.forget_password().await.expect("a code is sent");
        let code = world.read_code(&mina.email).await;
        let proof = gateway.check_code(&verification, &code).await;
        let proof = proof.expect("a proof");
        let reset = gateway.reset_password(&proof, NEW_PASSWORD).await;
        reset.expect("reset");
        for tokens in &self.by_the_restarted {
            restarted
                .revoke(&tokens.access_token)
                .await
                .expect("revoked");
        }
        let people = [self.by_session, self.by_password_reset].into_iter();
        let people = people.chain(self.by_user).chain(self.by_password_change);
        people
            .flat_map(|(_, sessions)| sessions)
            .chain(self.by_access_token)
            .chain(self.by_refresh_token)
            .chain(self.by_the_restarted)
            .map(|tokens| tokens.access_token)
            .filter(|token| !kept_by_change.contains(token))
            .collect()
    }
}

async fn sign_in(person: &Person, sessions: usize) -> Vec<v1::Tokens> {
    let mut tokens = Vec::new();
    for _ in 0..sessions {
        tokens.push(person.sign_in().await);
    }
    tokens
}

fn access_tokens(tokens: &[v1::Tokens]) -> Vec<String> {
    let access_tokens = tokens.iter().map(|tokens| tokens.access_token.clone());
    access_tokens.collect()
}
