//! Signing keys: rotating refuses no good token, revoking refuses its own, and a
//! damaged key harms no other.

use std::time::Duration;

use countersign_domain::model::{KeyState, MasterKey, SealedSigningKey};
use countersign_domain::ports::SigningKeys as _;
use countersign_domain::testing::{SeededRandom, World};
use countersign_domain::use_cases::{
    EnsureSigningKeys, RevokeSigningKey, RotateSigningKeys, Rotated,
};
use countersign_domain::validation::{Keyring, KeyringError, Question, Validation};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

async fn with_a_user() -> World {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world
}

async fn token(world: &World) -> String {
    let tokens = world.sign_in(EMAIL, PASSWORD).await;
    tokens.expect("signed in").access_token
}

fn validate(world: &World, token: &str) -> Validation {
    world.validator().validate(Question {
        token,
        audience: "",
        scopes: &[],
        authentication: None,
    })
}

fn rotation(world: &World) -> RotateSigningKeys {
    let tokens = &world.app.settings.tokens;
    RotateSigningKeys {
        retired_for: tokens.retired_key_ttl(),
        if_older_than: Duration::ZERO,
        known_after: tokens.feed_bound,
    }
}

async fn stored(world: &World, state: KeyState) -> SealedSigningKey {
    let keys = world.store.signing_keys().await.expect("readable");
    let mut found = keys.into_iter().filter(|key| key.state == state);
    found.next().expect("there is one")
}

/// Damages a stored key, as a disk or a wrong hand does.
async fn damage(world: &World, key: &SealedSigningKey) {
    let mut uow = world.app.store.begin().await.expect("begun");
    uow.delete_signing_key(&key.kid).await.expect("deleted");
    let damaged = SealedSigningKey {
        sealed: vec![1, 2, 3],
        ..key.clone()
    };
    uow.insert_signing_key(&damaged).await.expect("inserted");
    uow.commit().await.expect("committed");
}

async fn ensure(world: &World) {
    let keys = EnsureSigningKeys.execute(world.keeper()).await;
    keys.expect("the keys are complete");
    world.read().await;
}

#[tokio::test]
async fn rotating_refuses_no_token_and_revoking_a_key_refuses_its_own() {
    let world = with_a_user().await;
    let old = token(&world).await;
    let rotated = rotation(&world).execute(world.keeper()).await;
    assert_eq!(rotated.expect("rotated"), Rotated::Yes);
    world.read().await;
    let new = token(&world).await;
    for good in [&old, &new] {
        assert!(matches!(validate(&world, good), Validation::Valid(_)));
    }
    let kid = stored(&world, KeyState::Active).await.kid;
    let revoked = RevokeSigningKey { kid }.execute(world.keeper()).await;
    assert!(revoked.expect("revoked"));
    world.read().await;
    assert!(matches!(validate(&world, &new), Validation::UnknownKey));
    assert!(matches!(validate(&world, &old), Validation::Valid(_)));
    let newest = token(&world).await;
    assert!(matches!(validate(&world, &newest), Validation::Valid(_)));
}

#[tokio::test]
async fn a_key_signs_only_after_every_replica_had_time_to_read_it() {
    let world = with_a_user().await;
    let first = rotation(&world).execute(world.keeper()).await;
    assert_eq!(first.expect("an answer"), Rotated::Yes);
    let second = rotation(&world).execute(world.keeper()).await;
    assert_eq!(
        second.expect("an answer"),
        Rotated::TooYoung {
            again_in: Duration::from_secs(10)
        }
    );
    world.clock.advance(Duration::from_millis(9_999));
    let early = rotation(&world).execute(world.keeper()).await;
    assert_eq!(
        early.expect("an answer"),
        Rotated::TooYoung {
            again_in: Duration::from_millis(1)
        }
    );
    world.clock.advance(Duration::from_millis(1));
    let late = rotation(&world).execute(world.keeper()).await;
    assert_eq!(late.expect("an answer"), Rotated::Yes);
}

#[tokio::test]
async fn keys_rotate_by_themselves_once_in_their_time() {
    let world = World::new().await;
    let month = world.app.settings.tokens.key_rotation;
    let rotate = || RotateSigningKeys {
        if_older_than: month,
        ..rotation(&world)
    };
    for expected in [Rotated::NotDue, Rotated::Yes, Rotated::NotDue] {
        let rotated = rotate().execute(world.keeper()).await;
        assert_eq!(rotated.expect("an answer"), expected);
        if expected == Rotated::NotDue {
            world.clock.advance(month - Duration::from_secs(1));
            world.clock.advance(Duration::from_secs(1));
        }
    }
}

#[tokio::test]
async fn a_damaged_retired_key_harms_no_other() {
    let world = with_a_user().await;
    let old = token(&world).await;
    rotation(&world)
        .execute(world.keeper())
        .await
        .expect("rotated");
    world.read().await;
    let new = token(&world).await;
    let retired = stored(&world, KeyState::Retired).await;
    damage(&world, &retired).await;
    world.read().await;
    assert_eq!(
        world.app.keyring.damaged(),
        std::slice::from_ref(&retired.kid)
    );
    assert!(matches!(validate(&world, &new), Validation::Valid(_)));
    assert!(matches!(validate(&world, &old), Validation::UnknownKey));
    let revoked = RevokeSigningKey {
        kid: retired.kid.clone(),
    };
    assert!(revoked.execute(world.keeper()).await.expect("revoked"));
    world.read().await;
    assert!(world.app.keyring.damaged().is_empty());
}

#[tokio::test]
async fn a_damaged_active_or_next_key_is_replaced() {
    for state in [KeyState::Active, KeyState::Next] {
        let world = with_a_user().await;
        let before = token(&world).await;
        damage(&world, &stored(&world, state).await).await;
        world.read().await;
        ensure(&world).await;
        assert!(world.app.keyring.damaged().is_empty(), "{state:?}");
        let after = token(&world).await;
        assert!(matches!(validate(&world, &after), Validation::Valid(_)));
        let is_lost = state == KeyState::Active;
        let is_unknown = matches!(validate(&world, &before), Validation::UnknownKey);
        assert_eq!(is_unknown, is_lost, "{state:?}");
        assert_eq!(
            stored(&world, KeyState::Next).await.state,
            KeyState::Next,
            "{state:?}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_gone_signs_no_more() {
    let world = with_a_user().await;
    let active = stored(&world, KeyState::Active).await;
    let next = stored(&world, KeyState::Next).await;
    let kids = |world: &World| {
        let listed = world.app.keyring.listed().into_iter();
        listed.map(|key| key.kid).collect::<Vec<_>>()
    };
    assert_eq!(kids(&world), [active.kid.clone(), next.kid.clone()]);
    assert!(world.app.keyring.can_sign());
    let mut uow = world.app.store.begin().await.expect("begun");
    uow.delete_signing_key(&active.kid).await.expect("deleted");
    uow.commit().await.expect("committed");
    world.read().await;
    assert_eq!(kids(&world), [next.kid]);
    assert!(!world.app.keyring.can_sign());
    assert!(world.sign_in(EMAIL, PASSWORD).await.is_err());
    ensure(&world).await;
    let after = token(&world).await;
    assert!(matches!(validate(&world, &after), Validation::Valid(_)));
}

#[tokio::test]
async fn with_none_of_the_keys_readable_nothing_is_replaced() {
    let world = with_a_user().await;
    for state in [KeyState::Active, KeyState::Next] {
        damage(&world, &stored(&world, state).await).await;
    }
    let before = world.store.signing_keys().await.expect("readable");
    let refused = EnsureSigningKeys.execute(world.keeper()).await;
    assert!(refused.is_err(), "another master key's were replaced");
    assert_eq!(world.store.signing_keys().await.expect("readable"), before);
}

#[tokio::test]
async fn an_unknown_key_is_not_revoked() {
    let world = World::new().await;
    let kid = "nobody's".to_owned();
    let revoked = RevokeSigningKey { kid }.execute(world.keeper()).await;
    assert!(!revoked.expect("an answer"));
}

#[tokio::test]
async fn a_token_that_was_seen_is_rejected_once_its_key_is_gone() {
    let world = with_a_user().await;
    let seen = token(&world).await;
    world.read().await;
    let validator = world.validator();
    let question = Question {
        token: &seen,
        audience: "",
        scopes: &[],
        authentication: None,
    };
    assert!(matches!(validator.validate(question), Validation::Valid(_)));
    let kid = stored(&world, KeyState::Active).await.kid;
    let mut uow = world.app.store.begin().await.expect("begun");
    assert!(uow.delete_signing_key(&kid).await.expect("an answer"));
    uow.commit().await.expect("committed");
    world.read().await;
    assert!(matches!(
        validator.validate(question),
        Validation::UnknownKey
    ));
}

#[tokio::test]
async fn a_damaged_active_key_harms_no_retired_one() {
    let world = with_a_user().await;
    let old = token(&world).await;
    let rotated = rotation(&world).execute(world.keeper()).await;
    assert_eq!(rotated.expect("an answer"), Rotated::Yes);
    damage(&world, &stored(&world, KeyState::Active).await).await;
    world.read().await;
    assert!(matches!(validate(&world, &old), Validation::Valid(_)));
}

#[tokio::test]
async fn a_keyring_says_whether_its_keys_are_damaged_or_none_signs() {
    let world = World::new().await;
    let sealing = MasterKey::generate(&SeededRandom::new(7)).signing_keys();
    let of_another_master_key = world.store.signing_keys().await.expect("readable");
    let damaged = Keyring::open(of_another_master_key, sealing.clone());
    assert!(matches!(damaged, Err(KeyringError::AllDamaged(2))));
    let none = Keyring::open(Vec::new(), sealing);
    assert!(matches!(none, Err(KeyringError::NoActiveKey)));
}
