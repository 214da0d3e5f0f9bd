//! Adopting the users of an existing database: once each, at one answer and one cost,
//! and never again what was changed or deleted here.

mod costs;
pub(crate) mod existing;
mod outages;
mod sign_ups;

use std::sync::Arc;

use countersign_domain::model::{
    ExistingState, GroupId, Locale, PasswordHash, Purpose, Timestamp, UserState,
};
use countersign_domain::ports::Users as _;
use countersign_domain::testing::{World, password, refusal, send_code, sign_in};
use countersign_domain::use_cases::{DeleteUser, Grant, IssueTokens, ResetPassword};
use countersign_domain::{Error, Limit, Refusal};

use self::existing::{Existing, external, row};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const WRONG: &str = "the wrong phrase";

/// A world whose people are in an existing database.
async fn world(rows: Vec<countersign_domain::model::ExistingUser>) -> (World, Arc<Existing>) {
    let mut world = World::new().await;
    let existing = Existing::of(rows);
    world.adopt_from(existing.source());
    (world, existing)
}

async fn with_code(world: &World, purpose: Purpose) -> Option<IssueTokens> {
    let proof = world.prove(EMAIL, purpose).await.ok()?;
    Some(IssueTokens {
        grant: Grant::VerifiedCode(proof),
        ..sign_in(EMAIL, PASSWORD)
    })
}

#[tokio::test]
async fn the_first_sign_in_adopts_a_user_with_the_password_that_it_has() {
    let (world, existing) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let group = GroupId::fallback();
    let user = world
        .store
        .user_by_external_id(&group, &external("7"))
        .await;
    let user = user.expect("an answer").expect("adopted");
    assert_eq!(user.id, tokens.user_id);
    assert_eq!(user.state, UserState::Active);
    assert_eq!(
        user.profile
            .name
            .as_ref()
            .map(countersign_domain::model::PersonName::as_str),
        Some("Mina")
    );
    let account = world.store.account(user.id).await.expect("an answer");
    let credential = account.expect("there").credential.expect("a password");
    assert_eq!(credential.failures, 0);
    // Made anew under today's parameters: the old hash is kept nowhere.
    assert_eq!(credential.hash.expose(), format!("plain:{PASSWORD}"));
    // From now on, what is there is nothing to whoever is here.
    existing.change(|rows| rows[0] = row("7", EMAIL, "changed in the old server"));
    assert_eq!(existing.asked_for(EMAIL), 1);
    let again = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(again.user_id, user.id);
    let changed = world.sign_in(EMAIL, "changed in the old server").await;
    assert_eq!(refusal(changed), Refusal::SignIn);
    assert_eq!(existing.asked_for(EMAIL), 1);
}

#[tokio::test]
async fn every_refused_sign_in_costs_one_hash_and_one_lookup() {
    let mut no_password = row("2", "codes@example.com", PASSWORD);
    no_password.password = None;
    let mut banned = row("3", "banned@example.com", PASSWORD);
    banned.state = ExistingState::Suspended;
    let mut gone = row("4", "gone@example.com", PASSWORD);
    gone.state = ExistingState::Withdrawn { since: None };
    let rows = vec![
        row("1", "first@example.com", PASSWORD),
        no_password,
        banned,
        gone,
    ];
    let (world, existing) = world(rows).await;
    world.user(EMAIL, PASSWORD).await;
    existing.damage("damaged@example.com");
    for email in [
        "nobody@example.com",
        EMAIL,
        "first@example.com",
        "first@example.com",
        "codes@example.com",
        "banned@example.com",
        "gone@example.com",
        "damaged@example.com",
    ] {
        world.hasher.take_count();
        existing.take_lookups();
        let refused = refusal(world.sign_in(email, WRONG).await);
        assert_eq!(refused, Refusal::SignIn, "{email}");
        assert_eq!(world.hasher.take_count(), 1, "{email}");
        assert_eq!(existing.take_lookups(), 1, "{email}");
    }
}

#[tokio::test]
async fn guesses_at_somebody_who_is_not_adopted_yet_are_counted_from_the_first() {
    let (world, _) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    let cap = world.app.settings.password_attempts;
    let mut compared = 0;
    for _ in 0..cap + 50 {
        // Every guess from a source of its own.
        world.clock.advance(std::time::Duration::from_secs(3_600));
        match world.sign_in(EMAIL, WRONG).await {
            Err(Error::Refused(Refusal::SignIn)) => compared += 1,
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            }) => {}
            other => panic!("{other:?}"),
        }
    }
    let group = GroupId::fallback();
    let user = world
        .store
        .user_by_external_id(&group, &external("7"))
        .await;
    let user = user.expect("an answer").expect("adopted");
    let account = world.store.account(user.id).await.expect("an answer");
    let failures = account
        .expect("there")
        .credential
        .expect("a password")
        .failures;
    assert_eq!(failures, cap, "of {compared} guesses");
    world.clock.advance(std::time::Duration::from_secs(86_400));
    assert!(
        world.sign_in(EMAIL, PASSWORD).await.is_err(),
        "it is locked"
    );
    println!("guesses that were counted: {failures} of {compared}, at most {cap}");
}

#[tokio::test]
async fn many_first_sign_ins_at_once_adopt_once() {
    let (world, _) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    let world = Arc::new(world);
    let mut users = std::collections::BTreeSet::new();
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.sign_in(EMAIL, PASSWORD).await })
        })
        .collect();
    let mut signed_in = 0;
    for tried in tries {
        match tried.await.expect("no panic") {
            Ok(tokens) => {
                users.insert(tokens.user_id);
                signed_in += 1;
            }
            // Somebody else was faster: to be repeated.
            Err(error) => assert!(!error.is_an_answer(), "{error:?}"),
        }
    }
    assert_eq!(users.len(), 1, "{signed_in} of 8 signed in");
}

#[tokio::test]
async fn the_states_are_those_of_the_existing_database() {
    let mut banned = row("3", "banned@example.com", PASSWORD);
    banned.state = ExistingState::Suspended;
    let mut gone = row("4", "gone@example.com", PASSWORD);
    let since = Timestamp::from_seconds(1_789_900_000);
    gone.state = ExistingState::Withdrawn { since: Some(since) };
    let (world, _) = world(vec![banned, gone]).await;
    for (email, id) in [("banned@example.com", "3"), ("gone@example.com", "4")] {
        let refused = refusal(world.sign_in(email, PASSWORD).await);
        match id {
            "3" => assert_eq!(refused, Refusal::UserSuspended),
            _ => assert!(matches!(refused, Refusal::UserWithdrawn { at, .. } if at == since)),
        }
        let group = GroupId::fallback();
        let user = world.store.user_by_external_id(&group, &external(id)).await;
        let user = user.expect("an answer").expect("adopted");
        match (id, user.state) {
            ("3", UserState::Suspended(suspension)) => assert_eq!(suspension.until, None),
            ("4", UserState::Withdrawn(withdrawal)) => {
                assert_eq!(withdrawal.at, since);
                let wait = withdrawal.rejoin_at.since(since);
                assert_eq!(wait, std::time::Duration::from_secs(7 * 86_400));
            }
            (_, other) => panic!("{email}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_code_or_a_reset_adopts_once_the_address_is_proved() {
    let (world, _) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    let group = GroupId::fallback();
    send_code("nobody@example.com", Purpose::SignIn)
        .execute(&world.app)
        .await
        .expect("the answer that all get");
    assert_eq!(world.take_sent().await.len(), 0);
    let by_code = with_code(&world, Purpose::SignIn).await.expect("proved");
    let before = world
        .store
        .user_by_external_id(&group, &external("7"))
        .await;
    assert_eq!(
        before.expect("an answer"),
        None,
        "a request alone adopts nobody"
    );
    let tokens = by_code
        .execute(&world.app)
        .await
        .expect("signed in")
        .into_tokens();
    let user = world
        .store
        .user_by_external_id(&group, &external("7"))
        .await;
    assert_eq!(
        user.expect("an answer").map(|user| user.id),
        Some(tokens.user_id)
    );
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("its password is good too");
}

#[tokio::test]
async fn a_reset_by_the_owner_of_the_address_adopts_and_sets_the_password() {
    let (world, _) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    let proof = world
        .prove(EMAIL, Purpose::PasswordReset)
        .await
        .expect("proved");
    // Whose guess adopts the user meanwhile takes nothing from the owner.
    assert_eq!(refusal(world.sign_in(EMAIL, WRONG).await), Refusal::SignIn);
    let reset = ResetPassword {
        proof,
        new: password("another long phrase"),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
    let signed_in = world.sign_in(EMAIL, "another long phrase").await;
    signed_in.expect("the new password");
}

#[tokio::test]
async fn a_proof_from_before_a_change_of_the_password_is_worthless() {
    let (world, _) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    let early = with_code(&world, Purpose::SignIn).await.expect("proved");
    world.clock.advance(std::time::Duration::from_secs(120));
    let proof = world
        .prove(EMAIL, Purpose::PasswordReset)
        .await
        .expect("proved");
    let reset = ResetPassword {
        proof,
        new: password("another long phrase"),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    let refused = early.execute(&world.app).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn who_was_deleted_here_does_not_come_back() {
    let (world, _) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let deleted = DeleteUser {
        id: tokens.user_id,
        etag: None,
    };
    deleted.execute(&world.app).await.expect("deleted");
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
    let sent = send_code(EMAIL, Purpose::SignIn).execute(&world.app).await;
    sent.expect("the answer that all get");
    assert_eq!(world.take_sent().await.len(), 0);
}

#[tokio::test]
async fn people_of_other_groups_are_not_looked_up() {
    let (world, existing) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    existing.take_lookups();
    let elsewhere = IssueTokens {
        group: world.group("elsewhere").await,
        ..sign_in(EMAIL, PASSWORD)
    };
    assert_eq!(
        refusal(elsewhere.execute(&world.app).await),
        Refusal::SignIn
    );
    assert_eq!(existing.take_lookups(), 0);
}

#[tokio::test]
async fn a_hash_that_cannot_be_read_is_no_password_and_no_error() {
    let mut nonsense = row("7", EMAIL, PASSWORD);
    nonsense.password = Some(PasswordHash::new("hunter2".into()));
    let (world, _) = world(vec![nonsense]).await;
    for _ in 0..2 {
        world.hasher.take_count();
        let refused = refusal(world.sign_in(EMAIL, "hunter2").await);
        assert_eq!(refused, Refusal::SignIn);
        assert_eq!(world.hasher.take_count(), 1);
    }
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    let signed_in = world.sign_in(EMAIL, "another long phrase").await;
    signed_in.expect("the new password");
}

#[tokio::test]
async fn a_mere_digest_is_never_stored() {
    let mut old = row("7", EMAIL, PASSWORD);
    old.password = Some(PasswordHash::new(format!("digest:{PASSWORD}")));
    let (world, _) = world(vec![old]).await;
    assert_eq!(refusal(world.sign_in(EMAIL, WRONG).await), Refusal::SignIn);
    let group = GroupId::fallback();
    let user = world
        .store
        .user_by_external_id(&group, &external("7"))
        .await;
    let user = user.expect("an answer").expect("adopted");
    let account = world.store.account(user.id).await.expect("an answer");
    let hash = account.expect("there").credential.expect("a password").hash;
    assert_eq!(hash.expose(), format!("wrapped:{PASSWORD}"));
    world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
}
