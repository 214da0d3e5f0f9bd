//! Old tokens belong to no session, and are revoked all the same.

use countersign_domain::Refusal;
use countersign_domain::testing::refusal;
use countersign_domain::use_cases::{Actor, ListIdentifiers, RevokeToken, RevokeUserSessions};

use super::*;

async fn end_all(world: &World, user: UserId) -> u32 {
    let all = RevokeUserSessions {
        actor: Actor::User(user),
        keep_current: false,
    };
    all.execute(&world.app).await.expect("ended")
}

#[tokio::test]
async fn ending_all_sessions_of_a_user_ends_the_old_tokens_issued_until_then() {
    let (world, user) = world_of(django()).await;
    world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let validator = world.validator();
    let before = old(&world);
    let exp = now(&world).as_seconds() + 3_600;
    let undated = signed(&json!({"token_type": "access", "exp": exp, "user_id": 7}));
    let other = signed(&json!({"token_type": "access", "exp": exp, "user_id": 8}));
    for token in [&before, &undated, &other] {
        assert_eq!(refused(&validator, ask(token)), None);
    }
    assert_eq!(
        end_all(&world, user).await,
        1,
        "sessions are counted, and nothing else"
    );
    for token in [&before, &undated] {
        assert_eq!(refused(&validator, ask(token)), Some(NotAccepted::Revoked));
        let person = ListIdentifiers {
            access_token: token.clone(),
        };
        let refused = refusal(person.execute(&world.app).await);
        assert_eq!(refused, Refusal::AccessToken(None));
    }
    assert_eq!(refused(&validator, ask(&other)), None);

    world.clock.advance(Duration::from_secs(6));
    world.read().await;
    let after = old_of(&world, "access", "after");
    assert_eq!(
        refused(&validator, ask(&after)),
        None,
        "the old server let the person in anew"
    );
    assert_eq!(end_all(&world, user).await, 0);
    assert_eq!(refused(&validator, ask(&after)), Some(NotAccepted::Revoked));
}

#[tokio::test]
async fn another_replica_learns_of_it_and_a_start_does_not_forget_it() {
    let (mut world, user) = world_of(django()).await;
    let old = old(&world);
    end_all(&world, user).await;
    // A replica that has just begun knows only what the database tells it.
    world.forget_feed().await;
    assert_eq!(
        refused(&world.validator(), ask(&old)),
        Some(NotAccepted::Revoked)
    );
}

#[tokio::test]
async fn signing_out_with_an_old_token_ends_that_token_alone() {
    let (world, _) = world_of(django()).await;
    let (one, other) = (old_of(&world, "access", "1"), old_of(&world, "access", "2"));
    let validator = world.validator();
    assert_eq!(refused(&validator, ask(&one)), None);
    for _ in 0..2 {
        let revoked = RevokeToken { token: one.clone() }.execute(&world.app).await;
        revoked.expect("ended");
    }
    assert_eq!(refused(&validator, ask(&one)), Some(NotAccepted::Revoked));
    assert_eq!(refused(&validator, ask(&other)), None);
}

#[tokio::test]
async fn a_token_of_a_session_ends_with_its_session() {
    let (world, _) = world_of(django()).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let validator = world.validator();
    let access = &tokens.access_token;
    assert_eq!(refused(&validator, ask(access)), None);
    let token = access.clone();
    RevokeToken { token }
        .execute(&world.app)
        .await
        .expect("ended");
    assert_eq!(refused(&validator, ask(access)), Some(NotAccepted::Revoked));
}

#[tokio::test]
async fn without_a_profile_that_accepts_them_nothing_is_entered_for_old_tokens() {
    let (mut world, user) = world_of(django()).await;
    world.reconfigure(|settings| settings.tokens.profiles = TokenProfiles::default());
    end_all(&world, user).await;
    assert!(world.app.feed.is_empty());
}
