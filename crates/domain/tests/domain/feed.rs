//! The revocation feed: what was revoked is known, however long a replica was
//! cut off, whatever its clock shows, and whatever is configured today.

use std::time::Duration;

use countersign_domain::model::{Revocation, SessionId};
use countersign_domain::ports::{Clock as _, LONGEST_UNIT_OF_WORK};
use countersign_domain::testing::{World, whole_feed};
use countersign_domain::use_cases::{
    Actor, DeleteExpired, ReadSigningKeys, RevokeToken, RevokeUserSessions,
};
use countersign_domain::validation::{NotAccepted, Question, RevocationFeed, Validation};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const MINUTE: Duration = Duration::from_secs(60);

fn ask(token: &str) -> Question<'_> {
    Question {
        token,
        audience: "",
        scopes: &[],
        authentication: None,
    }
}

/// Ends a session as another replica does: this one has to read of it.
async fn revoke_elsewhere(world: &World, session: SessionId) {
    let mut uow = world.app.store.begin().await.expect("begun");
    let now = world.app.clock.now();
    let revoked = uow.revoke_session(session, now).await.expect("an answer");
    assert!(revoked.is_some());
    uow.commit().await.expect("committed");
}

async fn signed_in(world: &World) -> (String, SessionId) {
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    (tokens.access_token, tokens.session_id)
}

async fn with_a_user() -> World {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world
}

fn is_revoked(validation: &Validation) -> bool {
    matches!(validation, Validation::Rejected(NotAccepted::Revoked))
}

#[tokio::test]
async fn another_replicas_revocation_is_seen_with_the_next_reading() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    world.read().await;
    let validator = world.validator();
    revoke_elsewhere(&world, session).await;
    let before = validator.validate(ask(&token));
    assert!(matches!(before, Validation::Valid(_)), "not read yet");
    world.read().await;
    assert!(is_revoked(&validator.validate(ask(&token))));
}

#[tokio::test]
async fn a_replica_that_was_cut_off_for_hours_catches_up() {
    let world = World::with(|settings| settings.tokens.access_ttl = 1440 * MINUTE).await;
    world.user(EMAIL, PASSWORD).await;
    let (token, session) = signed_in(&world).await;
    world.read().await;
    world.clock.advance(MINUTE);
    revoke_elsewhere(&world, session).await;
    for gap in [2 * MINUTE, 10 * MINUTE, 300 * MINUTE] {
        world.clock.advance(gap);
    }
    let validator = world.validator();
    assert!(matches!(validator.validate(ask(&token)), Validation::Stale));
    world.read().await;
    assert!(is_revoked(&validator.validate(ask(&token))));
}

#[tokio::test]
async fn a_revocation_that_becomes_readable_late_is_found() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    let mut uow = world.app.store.begin().await.expect("begun");
    let now = world.app.clock.now();
    uow.revoke_session(session, now).await.expect("an answer");
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(8));
        world.read().await;
    }
    uow.commit().await.expect("committed within its time");
    world.read().await;
    assert!(is_revoked(&world.validator().validate(ask(&token))));
}

#[tokio::test]
async fn a_unit_of_work_older_than_readers_look_back_is_not_committed() {
    let world = with_a_user().await;
    let (_, session) = signed_in(&world).await;
    let mut uow = world.app.store.begin().await.expect("begun");
    let now = world.app.clock.now();
    uow.revoke_session(session, now).await.expect("an answer");
    world.clock.advance(LONGEST_UNIT_OF_WORK + MINUTE);
    assert!(uow.commit().await.is_err());
    let session = world.app.store.session(session).await.expect("readable");
    assert!(session.is_some_and(|session| session.revoked_at.is_none()));
}

#[tokio::test]
async fn a_replica_that_starts_reads_every_revocation_that_is_needed() {
    let world = World::with(|settings| settings.tokens.access_ttl = 600 * MINUTE).await;
    world.user(EMAIL, PASSWORD).await;
    let (_, session) = signed_in(&world).await;
    revoke_elsewhere(&world, session).await;
    world.clock.advance(599 * MINUTE);
    let now = world.app.clock.now();
    let from = RevocationFeed::new().read_from(now);
    let all = whole_feed(&*world.app.store, from, now).await;
    assert_eq!(all.expect("readable").len(), 1);
}

#[tokio::test]
async fn a_database_whose_clock_is_set_back_is_read_from_the_beginning() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    let right = world.app.clock.now();
    world.clock.jump_to(right.plus(60 * MINUTE));
    world.read().await;
    world.clock.jump_to(right);
    revoke_elsewhere(&world, session).await;
    world.read().await;
    assert!(is_revoked(&world.validator().validate(ask(&token))));
}

#[tokio::test]
async fn a_revocation_is_kept_whatever_lifetime_is_configured_today() {
    let world = World::with(|settings| settings.tokens.access_ttl = 600 * MINUTE).await;
    world.user(EMAIL, PASSWORD).await;
    let (_, session) = signed_in(&world).await;
    revoke_elsewhere(&world, session).await;
    // What a restart with a shorter lifetime would do after a while.
    world.clock.advance(599 * MINUTE);
    world.read().await;
    DeleteExpired { batch: 100 }
        .execute(&world.app)
        .await
        .expect("cleaned");
    assert!(world.app.feed.contains(session));
    let now = world.app.clock.now();
    let stored = whole_feed(&*world.app.store, now.minus(1000 * MINUTE), now);
    assert_eq!(stored.await.expect("readable").len(), 1);
}

#[tokio::test]
async fn what_is_needed_no_more_is_forgotten() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    RevokeToken { token }
        .execute(&world.app)
        .await
        .expect("revoked");
    world.clock.advance(Revocation::MARGIN);
    world.read().await;
    assert!(world.app.feed.contains(session));
    world.clock.advance(10 * MINUTE);
    assert_eq!(Revocation::MARGIN, 1440 * MINUTE, "a day");
    DeleteExpired { batch: 100 }
        .execute(&world.app)
        .await
        .expect("cleaned");
    assert!(world.app.feed.is_empty());
    let now = world.app.clock.now();
    let stored = whole_feed(&*world.app.store, now.minus(10_000 * MINUTE), now);
    assert!(stored.await.expect("readable").is_empty());
}

#[tokio::test]
async fn no_clock_that_is_set_makes_a_revocation_be_forgotten() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    RevokeToken { token }
        .execute(&world.app)
        .await
        .expect("revoked");
    let right = world.app.clock.now();
    for days in [1, 30, -30] {
        let jump = right.as_millis() + days * 86_400_000;
        world
            .clock
            .jump_to(countersign_domain::model::Timestamp::from_millis(jump));
        world.read().await;
        assert!(world.app.feed.contains(session), "{days} days");
    }
}

#[tokio::test]
async fn a_session_that_another_replica_ended_is_rejected_here_after_the_answer() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    revoke_elsewhere(&world, session).await;
    RevokeToken {
        token: token.clone(),
    }
    .execute(&world.app)
    .await
    .expect("it is ended already");
    assert!(is_revoked(&world.validator().validate(ask(&token))));
}

#[tokio::test]
async fn the_epoch_moves_only_when_something_new_is_entered() {
    let world = World::new().await;
    let entry = |id| Revocation {
        session_id: SessionId::from_bytes([id; 16]),
        revoked_at: world.app.clock.now(),
        expires_at: world.app.clock.now().plus(MINUTE),
    };
    let feed = RevocationFeed::new();
    feed.enter(&[entry(1)], &*world.app.clock);
    let epoch = feed.epoch();
    feed.enter(&[entry(1)], &*world.app.clock);
    assert_eq!(feed.epoch(), epoch);
    feed.enter(&[entry(2)], &*world.app.clock);
    assert_ne!(feed.epoch(), epoch);
    assert_eq!((feed.len(), feed.is_empty()), (2, false));
    let now = world.app.clock.monotonic();
    feed.forget_expired(now + MINUTE - Duration::from_millis(1));
    assert_eq!(feed.len(), 2);
    feed.forget_expired(now + MINUTE);
    assert!(feed.is_empty());
}

#[tokio::test]
async fn a_reading_that_failed_makes_nothing_fresher_and_misses_nothing() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    world.read().await;
    world.store.fail_feed(true);
    revoke_elsewhere(&world, session).await;
    let validator = world.validator();
    for _ in 0..30 {
        world.clock.advance(Duration::from_secs(8));
        assert!(world.read_revocations().await.is_err());
        let keys = ReadSigningKeys.execute(&world.app).await;
        keys.expect("they can be read");
    }
    assert!(matches!(validator.validate(ask(&token)), Validation::Stale));
    world.store.fail_feed(false);
    world.read().await;
    assert!(is_revoked(&validator.validate(ask(&token))));
}

#[tokio::test]
async fn what_is_known_is_as_old_as_the_beginning_of_its_reading() {
    let world = World::new().await;
    let slow = Duration::from_secs(7);
    world.store.slow_feed(slow);
    world.read().await;
    let now = world.app.clock.monotonic();
    assert_eq!(world.app.feed.age(now), Some(slow));
}

#[tokio::test]
async fn a_revocation_that_is_not_committed_is_no_revocation() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    world.read().await;
    let revoke = || RevokeToken {
        token: token.clone(),
    };
    world.store.fail_commits(true);
    assert!(revoke().execute(&world.app).await.is_err());
    assert!(!world.app.feed.contains(session));
    let valid = world.validator().validate(ask(&token));
    assert!(matches!(valid, Validation::Valid(_)));
    assert_eq!(world.notifications.revocations(), 0);
    world.store.fail_commits(false);
    revoke().execute(&world.app).await.expect("revoked");
    assert!(is_revoked(&world.validator().validate(ask(&token))));
    assert_eq!(world.notifications.revocations(), 1, "the others are told");
}

#[tokio::test]
async fn sessions_that_end_together_are_rejected_from_the_answer_on() {
    let world = with_a_user().await;
    let (first, _) = signed_in(&world).await;
    let (second, _) = signed_in(&world).await;
    world.read().await;
    let validator = world.validator();
    for token in [&first, &second] {
        let valid = validator.validate(ask(token));
        assert!(matches!(valid, Validation::Valid(_)), "and cached");
    }
    let ended = RevokeUserSessions {
        actor: Actor::Person(second.clone()),
        keep_current: false,
    };
    assert_eq!(ended.execute(&world.app).await.expect("ended"), 2);
    for token in [&first, &second] {
        assert!(is_revoked(&validator.validate(ask(token))));
    }
}

#[tokio::test]
async fn a_clock_that_is_set_shortens_the_time_of_no_revocation() {
    let world = with_a_user().await;
    let (token, session) = signed_in(&world).await;
    RevokeToken { token }
        .execute(&world.app)
        .await
        .expect("revoked");
    let nearly_over = Revocation::MARGIN + 4 * MINUTE;
    world.clock.jump_to(world.app.clock.now().plus(nearly_over));
    for _ in 0..3 {
        world.read().await;
        world.clock.advance(2 * MINUTE);
    }
    world.read().await;
    assert!(world.app.feed.contains(session));
}

#[tokio::test]
async fn a_reading_goes_back_by_the_longest_transaction_and_no_further() {
    let world = World::new().await;
    let read_at = world.app.clock.now();
    let feed = RevocationFeed::new();
    feed.note_reading(read_at, Duration::ZERO);
    let from = read_at.minus(LONGEST_UNIT_OF_WORK);
    for now in [read_at, read_at.plus(100 * MINUTE)] {
        assert_eq!(feed.read_from(now), from);
    }
}

#[tokio::test]
async fn keys_that_were_not_read_are_as_bad_as_revocations() {
    let world = with_a_user().await;
    let (token, _) = signed_in(&world).await;
    world.read().await;
    world.clock.advance(Duration::from_secs(11));
    let read = world.read_revocations().await;
    read.expect("the revocations are read");
    let now = world.app.clock.monotonic();
    assert_eq!(world.app.keyring.age(now), Some(Duration::from_secs(11)));
    let validator = world.validator();
    assert!(matches!(validator.validate(ask(&token)), Validation::Stale));
    let read = ReadSigningKeys.execute(&world.app).await;
    read.expect("the keys are read");
    let valid = validator.validate(ask(&token));
    assert!(matches!(valid, Validation::Valid(_)));
}

#[tokio::test]
async fn a_session_is_ended_though_the_database_asks_to_try_again() {
    let world = with_a_user().await;
    let (token, _) = signed_in(&world).await;
    world.store.conflict(5);
    let revoke = RevokeToken {
        token: token.clone(),
    };
    let revoked = revoke.execute(&world.app).await;
    revoked.expect("the sixth attempt");
    assert!(is_revoked(&world.validator().validate(ask(&token))));
}
