//! Changing a password that is known: whose the tries are. Who is signed in has
//! none of those of strangers, and gives them none.

use std::time::Duration;

use countersign_domain::model::{Locale, Password, Purpose};
use countersign_domain::ports::Users as _;
use countersign_domain::testing::{World, password, refusal};
use countersign_domain::use_cases::{ChangePassword, ResetPassword};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const WRONG: &str = "the wrong phrase";
const NEW: &str = "another long phrase";
const DAY: Duration = Duration::from_secs(86_400);

/// A service whose passwords bear seven failures in a row, from as many sources
/// as there are.
async fn world() -> World {
    World::with(|settings| {
        settings.source_attempts.clear();
        settings.password_attempts = 7;
    })
    .await
}

async fn change(world: &World, access_token: &str, current: &str) -> Result<(), Error> {
    let change = ChangePassword {
        access_token: access_token.into(),
        current: Password::to_compare(current.into()).expect("a password"),
        new: password(NEW),
        locale: Locale::English,
    };
    change.execute(&world.app).await
}

async fn access_token(world: &World) -> String {
    let tokens = world.sign_in(EMAIL, PASSWORD).await;
    tokens.expect("signed in").access_token
}

fn is_exhausted<T>(outcome: &Result<T, Error>) -> bool {
    let limit = Limit::Attempts;
    matches!(outcome, Err(Error::Exhausted { limit: of, .. }) if *of == limit)
}

#[tokio::test]
async fn strangers_who_lock_a_password_do_not_keep_its_owner_from_changing_it() {
    let world = world().await;
    world.user(EMAIL, PASSWORD).await;
    let token = access_token(&world).await;
    for _ in 0..20 {
        let guess = world.sign_in(EMAIL, WRONG).await;
        assert_eq!(refusal(guess), Refusal::SignIn);
    }
    let locked = world.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(
        refusal(locked),
        Refusal::SignIn,
        "it is locked to strangers"
    );
    let changed = change(&world, &token, PASSWORD).await;
    changed.expect("the owner knows the password");
    let tokens = world.sign_in(EMAIL, NEW).await;
    tokens.expect("the new password is locked to nobody");
}

#[tokio::test]
async fn wrong_passwords_of_a_change_are_no_failures_of_sign_ins() {
    let world = world().await;
    let user = world.user(EMAIL, PASSWORD).await;
    let token = access_token(&world).await;
    for _ in 0..7 {
        let guess = change(&world, &token, WRONG).await;
        assert_eq!(refusal(guess), Refusal::Password);
    }
    let account = world.store.account(user).await.expect("readable");
    let credential = account.and_then(|account| account.credential);
    assert_eq!(credential.map(|credential| credential.failures), Some(0));
    let tokens = world.sign_in(EMAIL, PASSWORD).await;
    tokens.expect("sign-ins are as they were");
}

#[tokio::test]
async fn a_thief_has_as_many_tries_as_a_password_bears_however_long_it_takes() {
    let world = world().await;
    world.user(EMAIL, PASSWORD).await;
    let mut compared = 0;
    for day in 0..29 {
        // A new session each day brings no new tries.
        let token = access_token(&world).await;
        for _ in 0..2 {
            match change(&world, &token, WRONG).await {
                Err(Error::Refused(Refusal::Password)) => compared += 1,
                other => assert!(is_exhausted(&other), "day {day}: {other:?}"),
            }
        }
        world.clock.advance(DAY);
    }
    assert_eq!(compared, 7);
    let token = access_token(&world).await;
    assert!(is_exhausted(&change(&world, &token, PASSWORD).await));
    // There is another way for the owner, and it opens this one again.
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: password(PASSWORD),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    let token = access_token(&world).await;
    let changed = change(&world, &token, PASSWORD).await;
    changed.expect("another password has tries of its own");
}

#[tokio::test]
async fn right_passwords_and_outages_cost_nothing() {
    let world = world().await;
    world.user(EMAIL, PASSWORD).await;
    let token = access_token(&world).await;
    world.store.fail_begins(true);
    for _ in 0..20 {
        let failed = change(&world, &token, PASSWORD).await;
        assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    }
    world.store.fail_begins(false);
    for _ in 0..6 {
        let guess = change(&world, &token, WRONG).await;
        assert_eq!(refusal(guess), Refusal::Password);
    }
    change(&world, &token, PASSWORD).await.expect("one is left");
}

#[tokio::test]
async fn of_64_wrong_passwords_at_once_as_many_as_there_are_tries_are_compared() {
    let world = std::sync::Arc::new(world().await);
    world.user(EMAIL, PASSWORD).await;
    let token = access_token(&world).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (world, token) = (world.clone(), token.clone());
        tasks.spawn(async move { change(&world, &token, WRONG).await });
    }
    let mut compared = 0;
    for outcome in tasks.join_all().await {
        match outcome {
            Err(Error::Refused(Refusal::Password)) => compared += 1,
            other => assert!(is_exhausted(&other), "{other:?}"),
        }
    }
    assert_eq!(compared, 7);
}
