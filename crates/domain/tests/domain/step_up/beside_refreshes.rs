//! Authenticating a person again while other tabs refresh, and show something too.

use std::sync::Arc;

use super::*;

/// The chain has one tip, and whatever comes last tells of what was shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refreshes_at_once_neither_fork_nor_forget() {
    for round in 0..10 {
        let (mina, app) = Mina::with_app().await;
        let before = mina.session().await;
        let mina = Arc::new(mina);
        let mut tasks = tokio::task::JoinSet::new();
        for tab in 0..32 {
            let mina = Arc::clone(&mina);
            let recovery = (tab % 8 == 0).then(|| app.recovery[tab / 8].clone());
            tasks.spawn(async move {
                match recovery {
                    Some(typed) => {
                        mina.show(code(&typed)).await.expect("right");
                        None
                    }
                    None => {
                        let refreshed = mina.world.refresh(&mina.tokens.refresh_token).await;
                        Some(refreshed.expect("refreshed").refresh_token)
                    }
                }
            });
        }
        let mut successors: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        successors.dedup();
        assert_eq!(successors.len(), 1, "all tabs get the same successor");
        let after = mina.session().await;
        assert_eq!(after.generation, before.generation + 1);
        assert_eq!(after.acr(), Acr::Aal2, "round {round}");
        assert!(after.authenticated_at > before.authenticated_at);
        let refreshed = mina.world.refresh(&successors[0]).await;
        let token = refreshed.expect("refreshed").access_token;
        let (validator, aal2) = (mina.world.validator(), Some(Acr::Aal2));
        mina.world.read().await;
        let minute = Some(Duration::from_secs(60));
        assert_eq!(lacking(&validator, &token, minute, aal2), None);
    }
}

/// A refresh whose exchange comes after it tells of it, also if it was begun before.
#[tokio::test]
async fn a_refresh_that_was_begun_before_reads_again() {
    let (mina, app) = Mina::with_app().await;
    let stale = mina.session().await;
    mina.show(mina.code(&app)).await.expect("right");
    let now = mina.world.app.clock.now();
    let lifetimes = mina.world.app.settings.tokens.lifetimes();
    let presented = stale.present(stale.generation, now, lifetimes);
    let countersign_domain::model::Presented::Rotate(rotation) = presented else {
        panic!("expected a rotation, got {presented:?}");
    };
    let rotated = mina.world.store.rotate(stale.id, rotation).await;
    assert!(!rotated.expect("an answer"));
}

/// Within one tick of the clock, too.
#[tokio::test]
async fn a_step_up_right_after_the_sign_in_is_another_authentication() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let mina = Mina { world, id, tokens };
    let mut times = vec![mina.session().await.authenticated_at];
    for _ in 0..2 {
        mina.show(password(PASSWORD)).await.expect("right");
        times.push(mina.session().await.authenticated_at);
    }
    assert!(times[0] != times[1] && times[1] != times[2]);
    let now = mina.world.app.clock.now();
    assert!(times.iter().all(|at| *at <= now), "none lies ahead");
    mina.enroll_with(&mina.tokens.access_token)
        .await
        .expect("it is fresh");
}

/// What is shown in two tabs at once is all there afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_password_at_once_with_a_code_takes_nothing_from_it() {
    for _ in 0..20 {
        let (mina, app) = Mina::with_app().await;
        let show_code = mina.show(mina.code(&app));
        let (by_password, by_code) = tokio::join!(mina.show(password(PASSWORD)), show_code);
        by_code.expect("right");
        if let Err(error) = by_password {
            assert_eq!(
                refusal::<()>(Err(error)),
                Refusal::SecondFactorRequired,
                "the code was first"
            );
        }
        assert_eq!(mina.session().await.acr(), Acr::Aal2);
    }
}
