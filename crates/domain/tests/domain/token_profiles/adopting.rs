//! Who shows a refresh token of the old server, and has not turned up before, is adopted
//! from its database.

use std::sync::Arc;

use countersign_domain::model::{ExistingState, ExistingUser, User};
use countersign_domain::ports::Users as _;
use countersign_domain::testing::refusal;
use countersign_domain::use_cases::DeleteUser;
use countersign_domain::{Error, Refusal};
use futures_util::future::join_all;

use super::*;
use crate::adoption::existing::{Existing, external, row};

/// A world with the profile, whose people are in the old server's database.
async fn world_beside(rows: Vec<ExistingUser>) -> (World, Arc<Existing>) {
    let mut world = World::with(|settings| with(settings, django())).await;
    let existing = Existing::of(rows);
    world.adopt_from(existing.source());
    world.read().await;
    (world, existing)
}

async fn adopted(world: &World) -> Option<User> {
    let group = GroupId::fallback();
    let id = external("7");
    let user = world.store.user_by_external_id(&group, &id);
    user.await.expect("an answer")
}

#[tokio::test]
async fn a_refresh_token_adopts_its_user_who_is_the_same_by_the_password() {
    let (world, existing) = world_beside(vec![row("7", EMAIL, PASSWORD)]).await;
    assert_eq!(adopted(&world).await, None);
    let old = old_of(&world, "refresh", "r");
    let tokens = world.refresh(&old).await.expect("exchanged");
    let user = adopted(&world).await.expect("adopted");
    assert_eq!(user.id, tokens.user_id);
    assert_eq!(refused(&world.validator(), ask(&tokens.access_token)), None);
    let next = world.refresh(&tokens.refresh_token).await;
    next.expect("the chain goes on");
    // What is there is nothing to whoever is here.
    existing.set_down(true);
    let by_password = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(by_password.user_id, user.id);
    let other = world.refresh(&old_of(&world, "refresh", "s")).await;
    assert_eq!(other.expect("exchanged").user_id, user.id);
}

#[tokio::test]
async fn many_refresh_tokens_at_once_adopt_once() {
    let (world, _) = world_beside(vec![row("7", EMAIL, PASSWORD)]).await;
    let all: Vec<_> = (0..8)
        .map(|at| old_of(&world, "refresh", &at.to_string()))
        .collect();
    let exchanged = join_all(all.iter().map(|old| world.refresh(old))).await;
    let user = adopted(&world).await.expect("adopted");
    for tokens in exchanged {
        assert_eq!(tokens.expect("exchanged").user_id, user.id);
    }
}

#[tokio::test]
async fn who_may_not_sign_in_is_adopted_as_such_and_gets_no_tokens() {
    for state in [
        ExistingState::Suspended,
        ExistingState::Withdrawn { since: None },
    ] {
        let mut blocked = row("7", EMAIL, PASSWORD);
        blocked.state = state;
        let (world, _) = world_beside(vec![blocked]).await;
        let old = old_of(&world, "refresh", "r");
        assert_eq!(refusal(world.refresh(&old).await), Refusal::SessionEnded);
        let user = adopted(&world).await.expect("adopted");
        assert!(!user.is_active(now(&world)), "{state:?}");
    }
}

#[tokio::test]
async fn whose_row_is_gone_or_leads_to_nobody_gets_no_tokens() {
    let shared = || vec![row("7", EMAIL, PASSWORD), row("8", EMAIL, PASSWORD)];
    for rows in [Vec::new(), vec![row("8", EMAIL, PASSWORD)], shared()] {
        let (world, _) = world_beside(rows).await;
        let old = old_of(&world, "refresh", "r");
        assert_eq!(refusal(world.refresh(&old).await), Refusal::RefreshToken);
        assert_eq!(adopted(&world).await, None);
    }
    // Somebody here has the address: who that is, the old server does not know.
    let mut world = World::with(|settings| with(settings, django())).await;
    world.user(EMAIL, "another long phrase").await;
    let existing = Existing::of(vec![row("7", EMAIL, PASSWORD)]);
    world.adopt_from(existing.source());
    world.read().await;
    let old = old_of(&world, "refresh", "r");
    assert_eq!(refusal(world.refresh(&old).await), Refusal::RefreshToken);
    assert_eq!(adopted(&world).await, None);
}

#[tokio::test]
async fn who_was_deleted_here_does_not_come_back_by_a_refresh_token() {
    let (world, _) = world_beside(vec![row("7", EMAIL, PASSWORD)]).await;
    let tokens = world.refresh(&old_of(&world, "refresh", "r")).await;
    let id = tokens.expect("exchanged").user_id;
    let deleted = DeleteUser { id, etag: None };
    deleted.execute(&world.app).await.expect("deleted");
    world.clock.advance(Duration::from_secs(1));
    world.read().await;
    let again = world.refresh(&old_of(&world, "refresh", "s")).await;
    assert_eq!(refusal(again), Refusal::SessionEnded);
    let by_password = world.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(refusal(by_password), Refusal::SignIn);
}

#[tokio::test]
async fn an_outage_there_uses_no_refresh_token_up() {
    let (world, existing) = world_beside(vec![row("7", EMAIL, PASSWORD)]).await;
    let old = old_of(&world, "refresh", "r");
    existing.set_down(true);
    for _ in 0..3 {
        let unknown = world.refresh(&old).await;
        assert!(matches!(unknown, Err(Error::Unavailable(_))), "{unknown:?}");
    }
    assert_eq!(adopted(&world).await, None);
    existing.set_down(false);
    world.refresh(&old).await.expect("exchanged");
}
