//! Refreshing: retries are harmless, theft ends the session.

use std::time::Duration;

use countersign_domain::Refusal;
use countersign_domain::model::{Password, UserState};
use countersign_domain::ports::Clock as _;
use countersign_domain::testing::{World, refusal};
use countersign_domain::use_cases::{
    Actor, ChangePassword, RefreshTokens, RevokeToken, RevokeUserSessions,
};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

async fn signed_in() -> (World, String) {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    (world, tokens.refresh_token)
}

#[tokio::test]
async fn a_token_is_exchanged_for_its_successor() {
    let (world, first) = signed_in().await;
    let second = world.refresh(&first).await.expect("refreshed");
    let third = world
        .refresh(&second.refresh_token)
        .await
        .expect("refreshed again");
    assert_ne!(first, second.refresh_token);
    assert_ne!(second.refresh_token, third.refresh_token);
    assert_eq!(second.session_id, third.session_id);
}

#[tokio::test]
async fn within_the_grace_time_a_retry_gets_the_same_successor() {
    let (world, first) = signed_in().await;
    let second = world.refresh(&first).await.expect("refreshed");
    world.clock.advance(Duration::from_secs(30));
    let again = world.refresh(&first).await.expect("a retry");
    assert_eq!(second.refresh_token, again.refresh_token);
}

#[tokio::test]
async fn after_a_lost_reply_the_parent_gets_a_new_successor_and_the_lost_one_is_dead() {
    let (world, first) = signed_in().await;
    let lost = world.refresh(&first).await.expect("refreshed");
    world.clock.advance(Duration::from_secs(31));
    let found = world.refresh(&first).await.expect("the reply was lost");
    assert_ne!(lost.refresh_token, found.refresh_token);
    world
        .refresh(&found.refresh_token)
        .await
        .expect("the chain goes on");
    assert_eq!(
        refusal(world.refresh(&lost.refresh_token).await),
        Refusal::RefreshTokenReused
    );
}

#[tokio::test]
async fn an_older_token_ends_the_session_even_within_the_grace_time() {
    let (world, first) = signed_in().await;
    let second = world.refresh(&first).await.expect("refreshed");
    let third = world
        .refresh(&second.refresh_token)
        .await
        .expect("refreshed again");
    assert_eq!(
        refusal(world.refresh(&first).await),
        Refusal::RefreshTokenReused
    );
    for token in [&first, &second.refresh_token, &third.refresh_token] {
        assert_eq!(refusal(world.refresh(token).await), Refusal::SessionEnded);
    }
}

#[tokio::test]
async fn a_forged_token_ends_nothing() {
    let (world, first) = signed_in().await;
    let mut forged = first.clone();
    let last = forged.pop().expect("a character");
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    for forgery in [
        "",
        "csr_",
        "nonsense",
        &first[..first.len() - 1],
        forged.as_str(),
    ] {
        assert_eq!(
            refusal(world.refresh(forgery).await),
            Refusal::RefreshToken,
            "{forgery}"
        );
    }
    world.refresh(&first).await.expect("the session lives on");
}

#[tokio::test]
async fn an_idle_session_expires_and_a_used_one_ends_at_its_limit() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let (world, first) = signed_in().await;
    world.clock.advance(29 * DAY);
    let mut token = world
        .refresh(&first)
        .await
        .expect("still alive")
        .refresh_token;
    for _ in 0..5 {
        world.clock.advance(29 * DAY);
        token = world
            .refresh(&token)
            .await
            .expect("kept alive")
            .refresh_token;
    }
    world.clock.advance(7 * DAY);
    assert_eq!(
        refusal(world.refresh(&token).await),
        Refusal::RefreshToken,
        "after 181 days"
    );

    let idle = world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in")
        .refresh_token;
    world.clock.advance(30 * DAY);
    assert_eq!(
        refusal(world.refresh(&idle).await),
        Refusal::RefreshToken,
        "after 30 idle days"
    );
}

#[tokio::test]
async fn a_revoked_session_is_not_refreshed_and_revoking_again_is_fine() {
    let (world, first) = signed_in().await;
    for token in [first.clone(), first.clone(), "nonsense".into()] {
        RevokeToken { token }
            .execute(&world.app)
            .await
            .expect("revoked");
    }
    assert_eq!(refusal(world.refresh(&first).await), Refusal::SessionEnded);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_only() {
    let (world, here) = signed_in().await;
    let elsewhere = world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in elsewhere");
    let access_token = world.refresh(&here).await.expect("refreshed").access_token;
    let set = |text: &str| Password::to_set(text.into()).expect("a password");
    ChangePassword {
        access_token,
        current: set(PASSWORD),
        new: set("another long phrase"),
        locale: Default::default(),
    }
    .execute(&world.app)
    .await
    .expect("changed");
    assert_eq!(
        refusal(world.refresh(&elsewhere.refresh_token).await),
        Refusal::SessionEnded
    );
    world.refresh(&here).await.expect("this session lives on");
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
    world
        .sign_in(EMAIL, "another long phrase")
        .await
        .expect("the new password is right");
}

#[tokio::test]
async fn all_sessions_of_a_user_end_at_once_and_are_counted() {
    let (world, first) = signed_in().await;
    let second = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let revoke = |keep_current| RevokeUserSessions {
        actor: Actor::Person(second.access_token.clone()),
        keep_current,
    };
    assert_eq!(revoke(true).execute(&world.app).await.expect("ended"), 1);
    assert_eq!(refusal(world.refresh(&first).await), Refusal::SessionEnded);
    assert_eq!(revoke(false).execute(&world.app).await.expect("ended"), 1);
    assert_eq!(
        refusal(revoke(false).execute(&world.app).await),
        Refusal::AccessToken(None)
    );
}

#[tokio::test]
async fn no_access_token_outlives_its_session() {
    let world = World::with(|settings| settings.tokens.session_ttl = Duration::from_secs(90)).await;
    world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert!(tokens.access_expires_at <= tokens.refresh_expires_at);
}

#[tokio::test]
async fn a_dead_unused_successor_ends_the_session() {
    let (world, first) = signed_in().await;
    let dead = world.refresh(&first).await.expect("refreshed");
    world.clock.advance(Duration::from_secs(31));
    let found = world.refresh(&first).await.expect("the reply was lost");
    // The dead one is younger than the parent, and older than the newest.
    assert_eq!(
        refusal(world.refresh(&dead.refresh_token).await),
        Refusal::RefreshTokenReused
    );
    assert_eq!(
        refusal(world.refresh(&found.refresh_token).await),
        Refusal::SessionEnded
    );
}

#[tokio::test]
async fn a_user_who_is_not_active_any_more_gets_no_tokens() {
    let (world, first) = signed_in().await;
    let user = world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in")
        .user_id;
    let mut inactive = world
        .app
        .store
        .user(user)
        .await
        .expect("readable")
        .expect("the user is there");
    inactive.state = UserState::Pending;
    world.store.replace_user(inactive);
    assert_eq!(refusal(world.refresh(&first).await), Refusal::SessionEnded);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_caller_alone_and_the_session_lives_on() {
    let (world, first) = signed_in().await;
    let stolen = RefreshTokens {
        refresh_token: first.clone(),
        client_id: "another-gateway".into(),
    };
    assert_eq!(
        refusal(stolen.execute(&world.app).await),
        Refusal::RefreshToken
    );
    world.refresh(&first).await.expect("its own caller");
}

#[tokio::test]
async fn an_expired_access_token_still_ends_its_session() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    world.clock.advance(Duration::from_secs(3600));
    let token = tokens.access_token;
    RevokeToken { token }
        .execute(&world.app)
        .await
        .expect("revoked");
    assert_eq!(
        refusal(world.refresh(&tokens.refresh_token).await),
        Refusal::SessionEnded
    );
}

#[tokio::test]
async fn no_token_of_a_retry_outlives_what_its_session_knows() {
    let (world, first) = signed_in().await;
    let second = world.refresh(&first).await.expect("refreshed");
    world.clock.advance(Duration::from_secs(30));
    let again = world.refresh(&first).await.expect("a retry");
    let session = world.app.store.session(second.session_id).await;
    let session = session.expect("readable").expect("the session is there");
    assert!(again.access_expires_at > second.access_expires_at);
    assert!(again.access_expires_at <= session.access_expires_at);
}

#[tokio::test]
async fn a_token_minted_in_the_last_second_of_its_session_is_not_expired_already() {
    let lifetime = Duration::from_millis(90_500);
    let world = World::with(|settings| settings.tokens.session_ttl = lifetime).await;
    world.user(EMAIL, PASSWORD).await;
    let first = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    world.clock.advance(Duration::from_millis(90_200));
    let last = world.refresh(&first.refresh_token).await.expect("alive");
    let now = world.app.clock.now();
    assert_eq!(last.access_expires_at.as_seconds(), now.as_seconds() + 1);
}

#[tokio::test]
async fn each_exchange_brings_an_access_token_of_full_life_and_its_session_knows() {
    let (world, mut token) = signed_in().await;
    let life = world.app.settings.tokens.access_ttl;
    for _ in 0..3 {
        world.clock.advance(2 * life);
        let tokens = world.refresh(&token).await.expect("refreshed");
        let expires_at = world.app.clock.now().plus(life);
        assert_eq!(tokens.access_expires_at, expires_at);
        let session = world.app.store.session(tokens.session_id).await;
        let session = session.expect("readable").expect("the session is there");
        assert!(session.access_expires_at >= expires_at);
        token = tokens.refresh_token;
    }
}
