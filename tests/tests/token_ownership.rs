//! Whose a token is: an access token ends its own session even after it has
//! expired (RFC 7009), and a refresh token is exchanged for none but the caller
//! to which it was issued (RFC 6749, section 6).

use std::time::Duration;

use countersign_tests::{
    Backend, PASSWORD, PATIENCE, Tally, World, crowd, email, eventually, on_every_backend, reason,
};
use tokio::time::sleep;

on_every_backend!(
    a_genuine_expired_access_token_ends_its_session_and_a_forged_one_nothing,
    a_refresh_token_is_no_other_callers,
    another_callers_tries_do_not_disturb_the_owner,
);

async fn a_genuine_expired_access_token_ends_its_session_and_a_forged_one_nothing(
    backend: Backend,
) {
    const SESSIONS: usize = 8;
    // The shortest life that an access token may have, judged without leeway.
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("tokens.access_ttl", "10s")
        .set("tokens.leeway", "0s")
        .start()
        .await;
    let (mina, eve) = (world.sign_up().await, world.sign_up().await);
    let mut all = Vec::new();
    for _ in 0..SESSIONS {
        all.push(mina.sign_in().await);
    }
    let (target, foreign) = (eve.sign_in().await, eve.sign_in().await);
    let has_expired =
        || async { (mina.gateway.judge(&foreign.access_token).await == "EXPIRED").then_some(()) };
    eventually("the access tokens have expired", PATIENCE, has_expired).await;

    let forgeries = forgeries(&target.access_token, &foreign.access_token);
    for forgery in &forgeries {
        let revoked = mina.gateway.revoke(forgery).await;
        revoked.expect("RFC 7009: not an error");
    }
    let spared = eve.gateway.refresh(&target.refresh_token).await;

    let other = world.replica(world.replicas().len() - 1).gateway();
    let mut refreshed = Tally::default();
    for tokens in &all {
        let revoked = mina.gateway.revoke(&tokens.access_token).await;
        revoked.expect("a revocation is acknowledged");
        refreshed.add(&reason(&other.refresh(&tokens.refresh_token).await));
    }
    countersign_tests::say!(
        "{backend}: {SESSIONS} sessions, each revoked by its expired access token, refreshed \
         afterwards: {refreshed}; one session, {} forgeries of its expired token revoked: {}",
        forgeries.len(),
        reason(&spared),
    );
    assert_eq!(reason(&spared), "OK", "only a genuine token counts");
    assert_eq!(refreshed.count("SESSION_ENDED"), SESSIONS, "{refreshed}");
}

/// Tokens that say what a genuine one says, without its signature.
fn forgeries(genuine: &str, foreign: &str) -> Vec<String> {
    let parts = |token: &str| -> Vec<String> { token.split('.').map(Into::into).collect() };
    let (genuine, foreign) = (parts(genuine), parts(foreign));
    let mut flipped: Vec<char> = genuine[2].chars().collect();
    flipped[10] = if flipped[10] == 'A' { 'B' } else { 'A' };
    let flipped: String = flipped.into_iter().collect();
    vec![
        format!("{}.{}.{flipped}", genuine[0], genuine[1]),
        format!("{}.{}.{}", genuine[0], genuine[1], foreign[2]),
        format!("{}.{}.", genuine[0], genuine[1]),
        // {"alg":"none","typ":"at+jwt"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", genuine[1]),
    ]
}

async fn a_refresh_token_is_no_other_callers(backend: Backend) {
    const GRACE: Duration = Duration::from_secs(1);
    let world = World::on(backend)
        .set("tokens.refresh_grace", "1s")
        .start()
        .await;
    let mina = world.sign_up().await;
    let web = world.new_caller("web", &["gateway", "service"]).await;
    let app = world.new_caller("app", &["gateway", "service"]).await;
    let mina = mina.at(&web);
    let first = mina.sign_in().await;

    let mut theirs = Tally::default();
    theirs.add(&reason(&app.refresh(&first.refresh_token).await));
    let second = web.refresh(&first.refresh_token).await;
    let second = second.expect("the session lives on");
    // The one before, within the grace time and after it.
    theirs.add(&reason(&app.refresh(&first.refresh_token).await));
    let third = web.refresh(&second.refresh_token).await;
    let third = third.expect("the session lives on");
    sleep(GRACE * 2).await;
    theirs.add(&reason(&app.refresh(&first.refresh_token).await));
    theirs.add(&reason(&app.refresh(&second.refresh_token).await));
    theirs.add(&reason(&app.refresh(&third.refresh_token).await));

    let judged = web.judge(&third.access_token).await;
    let fourth = web.refresh(&third.refresh_token).await;
    countersign_tests::say!(
        "{backend}: refresh tokens of one caller, tried by another: {theirs}; the session is \
         {judged}, its owner's refresh {}",
        reason(&fourth),
    );
    assert_eq!(theirs.count("REFRESH_TOKEN_INVALID"), 5, "{theirs}");
    assert_eq!((judged.as_str(), reason(&fourth).as_str()), ("VALID", "OK"));
}

async fn another_callers_tries_do_not_disturb_the_owner(backend: Backend) {
    const CROWD: usize = 32;
    const ROUNDS: usize = 5;
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let web = world.new_caller("web", &["gateway", "service"]).await;
    let app = world.new_caller("app", &["gateway", "service"]).await;
    let signed_in = web.sign_in(email(&mina.email), PASSWORD);
    let mut tokens = signed_in.await.expect("a session");
    let (mut owner, mut theirs) = (Tally::default(), Tally::default());
    for _ in 0..ROUNDS {
        let outcomes = crowd(CROWD, |member| {
            let caller = if member == 0 { &web } else { &app }.clone();
            let token = tokens.refresh_token.clone();
            async move { caller.refresh(&token).await }
        })
        .await;
        owner.add(&reason(&outcomes[0]));
        for outcome in &outcomes[1..] {
            theirs.add(&reason(outcome));
        }
        let Ok(next) = &outcomes[0] else { break };
        tokens = next.clone();
    }
    countersign_tests::say!(
        "{backend}: {ROUNDS} refreshes beside {} of another caller: the owner's {owner}, the \
         other's {theirs}",
        CROWD - 1,
    );
    assert_eq!(owner.count("OK"), ROUNDS, "{owner}");
    theirs.assert_only(&["REFRESH_TOKEN_INVALID"]);
}
