//! A refresh token of the old server is exchanged once for a session of ours.

use countersign_domain::Refusal;
use countersign_domain::model::OldToken;
use countersign_domain::testing::refusal;
use countersign_domain::use_cases::{Actor, DeleteExpired, RevokeToken, RevokeUserSessions};
use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn it_opens_a_session_that_tells_nothing_of_how_the_person_was_authenticated() {
    let (world, user) = world_of(django()).await;
    let old = old_of(&world, "refresh", "r");
    world.clock.advance(Duration::from_secs(60));
    world.read().await;
    let tokens = world.refresh(&old).await.expect("exchanged");
    assert_eq!(tokens.user_id, user);
    let payload = payload_of(&tokens.access_token);
    assert_eq!(payload["user_id"], 7);
    assert_eq!(payload["countersign"]["amr"], json!([]));
    let signed_in = now(&world).as_seconds() - 60;
    assert_eq!(
        payload["countersign"]["auth_time"], signed_in,
        "when it was issued"
    );
    assert!(!OldToken::is_computed(tokens.session_id));
    assert_eq!(refused(&world.validator(), ask(&tokens.access_token)), None);
    world
        .refresh(&tokens.refresh_token)
        .await
        .expect("the chain goes on");
}

#[tokio::test]
async fn a_lost_reply_logs_nobody_out_and_a_reuse_ends_the_session() {
    let (world, _) = world_of(django()).await;
    let old = old_of(&world, "refresh", "r");
    let first = world.refresh(&old).await.expect("exchanged");
    world.clock.advance(Duration::from_secs(20));
    let again = world.refresh(&old).await.expect("a retry");
    assert_eq!(first.refresh_token, again.refresh_token);
    world.clock.advance(Duration::from_secs(60));
    let late = world
        .refresh(&old)
        .await
        .expect("its successor was never used");
    assert_eq!(late.session_id, first.session_id);
    assert_ne!(late.refresh_token, first.refresh_token);
    let next = world.refresh(&late.refresh_token).await.expect("refreshed");
    let reused = refusal(world.refresh(&old).await);
    assert_eq!(reused, Refusal::RefreshTokenReused);
    let ended = refusal(world.refresh(&next.refresh_token).await);
    assert_eq!(ended, Refusal::SessionEnded);
}

#[tokio::test]
async fn of_many_at_once_all_get_the_same_tokens() {
    let (world, _) = world_of(django()).await;
    let old = old_of(&world, "refresh", "r");
    let all = join_all((0..16).map(|_| world.refresh(&old))).await;
    let mut successors: Vec<_> = all
        .into_iter()
        .map(|tokens| tokens.expect("exchanged").refresh_token)
        .collect();
    successors.dedup();
    assert_eq!(successors.len(), 1);
}

#[tokio::test]
async fn once_its_session_is_gone_it_opens_no_other() {
    let mut profile = django();
    profile.longest_ttl = 365 * DAY;
    let (world, _) = world_of(profile).await;
    let now = now(&world).as_seconds();
    let payload =
        json!({"token_type": "refresh", "exp": now + 300 * 86_400, "iat": now, "user_id": 7});
    let old = signed(&payload);
    world.refresh(&old).await.expect("exchanged");
    // The session is not refreshed, ends, and is deleted.
    world.clock.advance(100 * DAY);
    world.read().await;
    let deleted = DeleteExpired { batch: 100 }.execute(&world.app).await;
    assert!(deleted.expect("deleted") > 0);
    let reused = refusal(world.refresh(&old).await);
    assert_eq!(reused, Refusal::RefreshTokenReused);
}

#[tokio::test]
async fn it_is_for_the_caller_alone_that_exchanged_it() {
    let (world, _) = world_of(django()).await;
    let old = old_of(&world, "refresh", "r");
    world.refresh(&old).await.expect("exchanged");
    let other = countersign_domain::use_cases::RefreshTokens {
        refresh_token: old,
        client_id: "another".into(),
    };
    assert_eq!(
        refusal(other.execute(&world.app).await),
        Refusal::RefreshToken
    );
}

#[tokio::test]
async fn what_is_no_refresh_token_of_a_user_who_is_here_opens_nothing() {
    let (world, user) = world_of(django()).await;
    for token in [old(&world), "a.b.c".into(), String::new()] {
        assert_eq!(refusal(world.refresh(&token).await), Refusal::RefreshToken);
    }
    let old = old_of(&world, "refresh", "r");
    name(&world, user, Some("8")).await;
    assert_eq!(refusal(world.refresh(&old).await), Refusal::RefreshToken);
    name(&world, user, Some("7")).await;
    world
        .refresh(&old)
        .await
        .expect("a refusal has used nothing up");
}

#[tokio::test]
async fn who_was_put_out_comes_in_by_no_older_refresh_token() {
    let (world, user) = world_of(django()).await;
    let (one, other) = (
        old_of(&world, "refresh", "1"),
        old_of(&world, "refresh", "2"),
    );
    let tokens = world.refresh(&one).await.expect("exchanged");
    RevokeToken { token: one.clone() }
        .execute(&world.app)
        .await
        .expect("ended");
    assert_eq!(
        refusal(world.refresh(&tokens.refresh_token).await),
        Refusal::SessionEnded
    );
    assert_eq!(refusal(world.refresh(&one).await), Refusal::SessionEnded);

    let never_used = old_of(&world, "refresh", "3");
    let token = never_used.clone();
    RevokeToken { token }
        .execute(&world.app)
        .await
        .expect("ended");
    assert_eq!(
        refusal(world.refresh(&never_used).await),
        Refusal::RefreshTokenReused
    );

    let all = RevokeUserSessions {
        actor: Actor::User(user),
        keep_current: false,
    };
    all.execute(&world.app).await.expect("ended");
    assert_eq!(refusal(world.refresh(&other).await), Refusal::SessionEnded);
}
