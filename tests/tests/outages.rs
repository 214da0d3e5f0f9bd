//! What is down is said to be down, and nothing else: no wrong yes, no wrong
//! no, nobody logged out; and all is well again by itself.

use std::cell::Cell;
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, Gateway, Mode, PASSWORD, PATIENCE, Person, Tally, World, email, eventually,
    on_every_shared_backend, reason,
};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

on_every_shared_backend!(
    without_its_database_a_replica_validates_within_the_bound,
    a_database_that_does_not_answer_is_like_none,
    without_redis_nobody_signs_in_and_tokens_work,
    a_redis_that_does_not_answer_is_like_none,
    a_frozen_replica_catches_up_before_it_says_yes,
);

const DOWN: &str = "DEPENDENCY_UNAVAILABLE";
const FEED_BOUND: Duration = Duration::from_secs(3);

async fn without_its_database_a_replica_validates_within_the_bound(backend: Backend) {
    let world = world(backend).await;
    let outage = Outage::begin(&world, Mode::Cut).await;
    let (last_yes, gave_up) = outage.until_it_does_not_tell().await;
    countersign_tests::say!(
        "{backend}: without its database a replica validated for {last_yes:?}, bound \
         {FEED_BOUND:?}, and said after {gave_up:?} that it does not know"
    );
    assert!(last_yes <= FEED_BOUND + Duration::from_millis(500));
    assert!(last_yes >= Duration::from_millis(500), "the bound is used");
    outage.nothing_else_is_said().await;
    outage.end().await;
}

async fn a_database_that_does_not_answer_is_like_none(backend: Backend) {
    let world = world(backend).await;
    let outage = Outage::begin(&world, Mode::Swallow).await;
    let (last_yes, gave_up) = outage.until_it_does_not_tell().await;
    countersign_tests::say!(
        "{backend}: with a silent database a replica validated for {last_yes:?}, bound \
         {FEED_BOUND:?}, and said after {gave_up:?} that it does not know"
    );
    assert!(last_yes <= FEED_BOUND + Duration::from_millis(500));
    assert!(
        gave_up <= Duration::from_secs(30),
        "it does not wait for ever"
    );
    outage.nothing_else_is_said().await;
    outage.end().await;
}

async fn without_redis_nobody_signs_in_and_tokens_work(backend: Backend) {
    without_redis(backend, Mode::Cut).await;
}

async fn a_redis_that_does_not_answer_is_like_none(backend: Backend) {
    without_redis(backend, Mode::Swallow).await;
}

async fn without_redis(backend: Backend, mode: Mode) {
    let world = world(backend).await;
    let mina = world.sign_up().await;
    let (mut kept, ended) = (mina.sign_in().await, mina.sign_in().await);
    let proof = mina
        .gateway
        .prove(email(&mina.email), v1::Purpose::SignIn)
        .await;
    let proof = proof.expect("a proof");
    world.redis_line().set(mode);

    for outcome in [
        mina.try_password(PASSWORD).await.map(drop),
        mina.try_password("wrong guess").await.map(drop),
        mina.gateway.sign_in_proven(&proof).await.map(drop),
        mina.forget_password().await.map(drop),
        mina.gateway
            .send_code(email(&mina.email), v1::Purpose::SignIn, "")
            .await
            .map(drop),
    ] {
        assert_is_down(&outcome);
    }
    for _ in 0..3 {
        assert_eq!(mina.gateway.judge(&kept.access_token).await, "VALID");
        kept = mina
            .gateway
            .refresh(&kept.refresh_token)
            .await
            .expect("it needs no Redis");
    }
    mina.gateway
        .revoke(&ended.access_token)
        .await
        .expect("it needs no Redis");
    assert_eq!(mina.gateway.judge(&ended.access_token).await, "REVOKED");

    world.redis_line().set(Mode::Pass);
    let works = || async { mina.try_password(PASSWORD).await.ok() };
    let (_, took) = eventually("sign-in works again", PATIENCE, works).await;
    countersign_tests::say!("{backend}, {mode:?}: sign-in works {took:?} after Redis is back");
}

async fn a_frozen_replica_catches_up_before_it_says_yes(backend: Backend) {
    let world = World::on(backend)
        .replicas(2)
        .set("validation.feed_bound", "1s")
        .set("validation.poll_interval", "200ms")
        .start()
        .await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let other = world.replica(1).gateway();
    assert_eq!(other.judge(&tokens.access_token).await, "VALID");
    world.replica(1).freeze().await;
    mina.gateway
        .revoke(&tokens.access_token)
        .await
        .expect("revoked");
    // Longer than its feed may be old.
    sleep(Duration::from_millis(1_200)).await;
    let asking = other.judge(&tokens.access_token);
    let thawing = world.replica(1).thaw();
    let (verdict, ()) = tokio::join!(asking, thawing);
    assert_eq!(verdict, "REVOKED", "the first answer after the freeze");
}

async fn world(backend: Backend) -> World {
    World::on(backend)
        .replicas(2)
        .with_lines()
        .set("validation.feed_bound", "3s")
        .set("validation.poll_interval", "500ms")
        .start()
        .await
}

/// The first replica without its database, two sessions, and one of them ended
/// by way of the other replica meanwhile.
struct Outage<'a> {
    world: &'a World,
    mina: Person,
    kept: v1::Tokens,
    ended: v1::Tokens,
    began: Instant,
}

impl<'a> Outage<'a> {
    async fn begin(world: &'a World, mode: Mode) -> Self {
        let mina = world.sign_up().await;
        let (kept, ended) = (mina.sign_in().await, mina.sign_in().await);
        assert_eq!(mina.gateway.judge(&kept.access_token).await, "VALID");
        world.database_line().set(mode);
        let began = Instant::now();
        world
            .replica(1)
            .gateway()
            .revoke(&ended.access_token)
            .await
            .expect("revoked");
        Self {
            world,
            mina,
            kept,
            ended,
            began,
        }
    }

    /// Asks about the good token until there is no answer; before that the
    /// answer is yes. Tells when it was asked for the last yes, and when it was
    /// told that there is no answer.
    async fn until_it_does_not_tell(&self) -> (Duration, Duration) {
        let last_yes = Cell::new(Duration::ZERO);
        let silent = || async {
            let asked_at = self.began.elapsed();
            match self.mina.gateway.validate(&self.kept.access_token).await {
                Ok(Ok(_)) => {
                    last_yes.set(asked_at);
                    None
                }
                Ok(Err(rejection)) => panic!("a wrong no: {rejection:?}"),
                Err(status) => Some(status),
            }
        };
        let (status, _) = eventually("it does not tell", PATIENCE, silent).await;
        assert_is_down::<()>(&Err(status));
        (last_yes.get(), self.began.elapsed())
    }

    /// Whoever signs in, refreshes or signs out hears that it is down, never
    /// that it is refused or done.
    async fn nothing_else_is_said(&self) {
        let gateway = &self.mina.gateway;
        let (right, wrong, refreshed, revoked, validated, listed) = tokio::join!(
            self.mina.try_password(PASSWORD),
            self.mina.try_password("wrong guess"),
            gateway.refresh(&self.kept.refresh_token),
            gateway.revoke(&self.kept.access_token),
            gateway.validate(&self.ended.access_token),
            self.mina.sessions(&self.kept),
        );
        let outcomes = [
            right.map(drop),
            wrong.map(drop),
            refreshed.map(drop),
            revoked,
            validated.map(drop),
            listed.map(drop),
        ];
        for outcome in &outcomes {
            assert_is_down(outcome);
        }
        countersign_tests::say!(
            "{}: meanwhile: {}",
            self.world.backend(),
            Tally::of(&outcomes)
        );
    }

    /// The database is back: the first answers must be right, and all works.
    async fn end(self) {
        let gateway = &self.mina.gateway;
        self.world.database_line().set(Mode::Pass);
        let back = Instant::now();
        let about_ended = first_answer(gateway, &self.ended).await;
        assert_eq!(about_ended, "REVOKED", "the first answer after the outage");
        assert_eq!(first_answer(gateway, &self.kept).await, "VALID");
        countersign_tests::say!(
            "{}: validates {:?} after the database is back",
            self.world.backend(),
            back.elapsed()
        );
        let refreshed = || async { gateway.refresh(&self.kept.refresh_token).await.ok() };
        eventually("the session was not lost", PATIENCE, refreshed).await;
        let signed_in = || async { self.mina.try_password(PASSWORD).await.ok() };
        eventually("sign-in works", PATIENCE, signed_in).await;
    }
}

/// The first answer that is one.
async fn first_answer(gateway: &Gateway, tokens: &v1::Tokens) -> String {
    let answer = || async {
        let verdict = gateway.judge(&tokens.access_token).await;
        (verdict != DOWN).then_some(verdict)
    };
    eventually("it tells again", PATIENCE, answer).await.0
}

fn assert_is_down<T>(outcome: &Result<T, Status>) {
    assert_eq!(reason(outcome), DOWN);
    let Err(status) = outcome else { return };
    let details = Details::of(status);
    assert_eq!(details.code, Code::Unavailable);
    assert!(
        details.retry_after.is_some_and(|wait| !wait.is_zero()),
        "it says when to retry"
    );
}
