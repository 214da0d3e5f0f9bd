//! What the policy of a group changes, and that it stays within the server's settings.

use std::time::Duration;

use countersign_domain::model::{
    GroupField, GroupId, GroupPolicy, Locale, Purpose, Scope, SignInWay,
};
use countersign_domain::ports::Clock as _;
use countersign_domain::testing::{World, password, refusal, send_code, sign_in};
use countersign_domain::use_cases::{
    BeginPasskeySignIn, ChangePassword, Grant, IssueTokens, ResetPassword, UpdateGroup,
};
use countersign_domain::{Error, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const MINUTE: Duration = Duration::from_secs(60);

/// Gives the group of the world's people a policy.
pub(crate) async fn set(world: &World, policy: GroupPolicy) {
    let update = UpdateGroup {
        id: GroupId::fallback(),
        etag: None,
        fields: GroupField::ALL.into(),
        display_name: String::new(),
        policy,
    };
    update.execute(&world.app).await.expect("changed");
}

fn rule<T: std::fmt::Debug>(refused: Result<T, Error>) -> String {
    match refused {
        Err(Error::Invalid(violations)) => violations[0].rule.clone(),
        other => panic!("expected a violation, got {other:?}"),
    }
}

#[tokio::test]
async fn people_sign_in_in_the_ways_that_the_group_allows() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let proof = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let by_code = || IssueTokens {
        grant: Grant::VerifiedCode(proof.clone()),
        ..sign_in(EMAIL, PASSWORD)
    };
    set(
        &world,
        GroupPolicy {
            sign_in_ways: Some(vec![SignInWay::Password]),
            ..GroupPolicy::default()
        },
    )
    .await;
    let off = Refusal::SignInWay(SignInWay::VerifiedCode);
    assert_eq!(refusal(by_code().execute(&world.app).await), off);
    let send = send_code(EMAIL, Purpose::SignIn).execute(&world.app).await;
    assert_eq!(refusal(send), off);
    let begin = BeginPasskeySignIn {
        group: GroupId::fallback(),
        client_id: "gateway".into(),
    };
    let off = Refusal::SignInWay(SignInWay::Passkey);
    assert_eq!(refusal(begin.execute(&world.app)), off);
    world.sign_in(EMAIL, PASSWORD).await.expect("it is allowed");

    set(
        &world,
        GroupPolicy {
            sign_in_ways: Some(vec![SignInWay::VerifiedCode]),
            ..GroupPolicy::default()
        },
    )
    .await;
    world.hasher.take_count();
    for (email, text) in [(EMAIL, PASSWORD), ("nobody@example.com", "wrong")] {
        let refused = world.sign_in(email, text).await;
        assert_eq!(refusal(refused), Refusal::SignInWay(SignInWay::Password));
    }
    assert_eq!(world.hasher.take_count(), 0, "nothing is compared");
    let signed_in = by_code().execute(&world.app).await;
    signed_in.expect("what was refused spent no proof");
}

#[tokio::test]
async fn nobody_signs_up_by_themselves_where_the_group_says_so() {
    let world = World::new().await;
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let pending = world.pending("juno@example.com", PASSWORD).await;
    set(
        &world,
        GroupPolicy {
            sign_up: Some(false),
            ..GroupPolicy::default()
        },
    )
    .await;
    let proven = world.sign_up_proven(EMAIL, Some(PASSWORD), proof);
    for refused in [
        refusal(proven.execute(&world.app).await),
        refusal(world.sign_up(EMAIL, PASSWORD).execute(&world.app).await),
        refusal(send_code(EMAIL, Purpose::SignUp).execute(&world.app).await),
        refusal(pending.execute(&world.app).await),
    ] {
        assert_eq!(refused, Refusal::SignUpOff);
    }
}

#[tokio::test]
async fn a_password_that_is_too_short_for_the_group_is_not_set() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let proof = proof.expect("proved");
    set(
        &world,
        GroupPolicy {
            password_min_length: Some(12),
            ..GroupPolicy::default()
        },
    )
    .await;
    let change = |text: &str| ChangePassword {
        access_token: tokens.access_token.clone(),
        current: password(PASSWORD),
        new: password(text),
        locale: Locale::English,
    };
    let reset = |text: &str| ResetPassword {
        proof: proof.clone(),
        new: password(text),
        locale: Locale::English,
    };
    // Characters are counted, not bytes.
    for short in ["11 otters!!", "열한글자짜리비밀번호다"] {
        for refused in [
            rule(change(short).execute(&world.app).await),
            rule(reset(short).execute(&world.app).await),
        ] {
            assert_eq!(refused, "must be at least 12 characters long");
        }
    }
    let changed = change("12 otters!!!").execute(&world.app).await;
    changed.expect("it is long enough");
}

#[tokio::test]
async fn lifetimes_of_a_group_are_no_longer_than_the_servers() {
    let mut world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let policy = GroupPolicy {
        access_ttl: Some(MINUTE),
        idle_ttl: Some(10 * MINUTE),
        session_ttl: Some(60 * MINUTE),
        ..GroupPolicy::default()
    };
    set(&world, policy).await;
    let now = world.clock.now();
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(tokens.access_expires_at, now.plus(MINUTE));
    assert_eq!(tokens.refresh_expires_at, now.plus(10 * MINUTE));
    world.clock.advance(5 * MINUTE);
    let tokens = world.refresh(&tokens.refresh_token).await.expect("tokens");
    assert_eq!(tokens.access_expires_at, now.plus(6 * MINUTE));
    assert_eq!(tokens.refresh_expires_at, now.plus(15 * MINUTE));

    // The server's settings became shorter since.
    world.reconfigure(|settings| {
        settings.tokens.access_ttl = Duration::from_secs(30);
        settings.tokens.idle_ttl = 2 * MINUTE;
    });
    let tokens = world.refresh(&tokens.refresh_token).await.expect("tokens");
    let seconds = Duration::from_secs;
    assert_eq!(tokens.access_expires_at, now.plus(5 * MINUTE + seconds(30)));
    assert_eq!(tokens.refresh_expires_at, now.plus(7 * MINUTE));

    // And the session ends when it was to end at its beginning.
    world.reconfigure(|settings| settings.tokens.idle_ttl = 1440 * MINUTE);
    let tokens = world.refresh(&tokens.refresh_token).await.expect("tokens");
    let mut token = tokens.refresh_token;
    for minute in (6..60).step_by(9) {
        world.clock.advance(9 * MINUTE);
        let Ok(tokens) = world.refresh(&token).await else {
            panic!("it lives in minute {minute}");
        };
        assert!(tokens.refresh_expires_at <= now.plus(60 * MINUTE));
        token = tokens.refresh_token;
    }
    world.clock.advance(9 * MINUTE);
    let ended = world.refresh(&token).await;
    assert_eq!(refusal(ended), Refusal::RefreshToken);
}

/// A revocation is kept until the last access token is gone, whatever the policy was
/// when it was issued.
#[tokio::test]
async fn a_shorter_lifetime_forgets_no_revocation() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let long = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    set(
        &world,
        GroupPolicy {
            access_ttl: Some(Duration::from_secs(10)),
            ..GroupPolicy::default()
        },
    )
    .await;
    let short = world.refresh(&long.refresh_token).await.expect("tokens");
    let session = world.app.store.session(short.session_id).await;
    let session = session.expect("readable").expect("a session");
    assert!(session.access_expires_at >= long.access_expires_at);
}

#[tokio::test]
async fn audiences_and_scopes_are_the_groups_within_the_servers() {
    let world = World::with(|settings| {
        settings.tokens.audiences = vec!["shop".into(), "till".into()];
    })
    .await;
    world.user(EMAIL, PASSWORD).await;
    let scope = |text: &str| Scope::parse(text).expect("a scope");
    let mut issue = sign_in(EMAIL, PASSWORD);
    issue.scopes = world.app.settings.tokens.scopes.clone();
    let issued = issue.execute(&world.app).await.expect("signed in");
    let tokens = issued.into_tokens();
    set(
        &world,
        GroupPolicy {
            audiences: Some(vec!["gone".into(), "till".into()]),
            scopes: Some(vec![scope("till:open")]),
            ..GroupPolicy::default()
        },
    )
    .await;
    let rules = world.app.groups.named(&GroupId::fallback()).expect("known");
    assert_eq!(rules.offered_audience(""), Ok("till".into()));
    assert_eq!(rules.offered_audience("till"), Ok("till".into()));
    for other in ["shop", "gone"] {
        let refused = rules.offered_audience(other);
        assert_eq!(refused, Err("must be one of till".into()), "{other}");
    }
    rules.offered_scope(scope("till:open")).expect("offered");
    let servers = world.app.settings.tokens.scopes[0].clone();
    rules.offered_scope(servers).expect_err("not the group's");
    // The session is for an audience that is not offered any more.
    let refused = world.refresh(&tokens.refresh_token).await;
    assert_eq!(refusal(refused), Refusal::RefreshToken);
    set(&world, GroupPolicy::default()).await;
    let refreshed = world.refresh(&tokens.refresh_token).await;
    refreshed.expect("it was not ended");
}
