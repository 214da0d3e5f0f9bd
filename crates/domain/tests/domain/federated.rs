//! Signing in and up with accounts at providers: who is let in, and who is not.

mod linking;
mod support;

use countersign_domain::model::{
    ClientContext, FederatedCallback, GroupId, Locale, MfaPolicy, NativeIdToken, ProviderSecret,
    Purpose, SealedText, SuspensionReason,
};
use countersign_domain::testing::{World, address, refusal};
use countersign_domain::use_cases::{
    AccountToLink, FederatedProof, IssueTokens, Issued, ReinstateUser, SignUp, SignUpBy,
    SuspendUser,
};
use countersign_domain::{Error, Limit, Refusal};
use std::time::Duration;

use self::support::{
    CLIENT, begin, callback, finish, issue, link, listed, mina, provider, sign_in, sign_up,
    unlinked,
};

#[tokio::test]
async fn an_account_is_signed_up_with_once_and_signs_in_from_then_on() {
    let world = World::new().await;
    let (id, tokens) = mina(&world).await;
    let again = sign_in(&world, "trusted", "mina").await.expect("signed in");
    assert_eq!(again.into_tokens().user_id, id);
    let listed = listed(&world, &tokens).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].display_name, "TRUSTED");
    assert_eq!(listed[0].masked_email.as_deref(), Some("m***@example.com"));
    assert!(listed[0].identity.last_used_at.is_some());
    // Another provider's subject of the same name is another account.
    let other = unlinked(&world, "loose", "mina").await;
    assert!(other.account.verified_email().is_none());
}

#[tokio::test]
async fn an_address_is_proved_unless_the_provider_answers_for_it() {
    let world = World::new().await;
    let account = unlinked(&world, "trusted", "mina").await;
    let other = sign_up(&world, "other@example.com", &account.token).await;
    assert_eq!(refusal(other), Refusal::Proof);
    let loose = unlinked(&world, "loose", "mina").await;
    let untrusted = sign_up(&world, "mina@example.com", &loose.token).await;
    assert_eq!(refusal(untrusted), Refusal::Proof);
    let proof = world
        .prove("suho@example.com", Purpose::SignUp)
        .await
        .expect("proved");
    let with_proof = SignUp {
        group: GroupId::fallback(),
        address: address("suho@example.com"),
        username: None,
        by: SignUpBy::Federated {
            token: loose.token.clone(),
            proof: Some(proof),
            password: None,
            client_id: CLIENT.into(),
        },
        locale: Locale::English,
        client: ClientContext::default(),
    };
    with_proof.execute(&world.app).await.expect("signed up");
    // The account is somebody's now.
    world.user("jiho@example.com", "a long enough phrase").await;
    let account = unlinked(&world, "trusted", "jiho").await;
    let taken = sign_up(&world, "jiho@example.com", &account.token).await;
    assert_eq!(refusal(taken), Refusal::IdentifierTaken);
}

#[tokio::test]
async fn what_comes_back_is_good_once_here_and_now() {
    let world = World::new().await;
    mina(&world).await;
    let refused = async |what: FederatedCallback| refusal(finish(&world, what).await);
    let begun = begin(&world, "trusted", None).await.expect("begun");
    let other = begin(&world, "trusted", None).await.expect("begun");
    // Another's state, none of ours, and what the provider refused.
    let mut foreign = callback(&begun, "mina");
    foreign.state = callback(&other, "mina").state;
    assert_eq!(refused(foreign).await, Refusal::FederatedSignIn);
    let mut bent = callback(&begun, "mina");
    bent.sign_in = SealedText::parse("AAAA".into()).expect("a text");
    assert_eq!(refused(bent).await, Refusal::FederatedSignIn);
    // None of these has used it up: it was not its own answer.
    finish(&world, callback(&begun, "mina"))
        .await
        .expect("signed in");
    assert_eq!(
        refused(callback(&begun, "mina")).await,
        Refusal::FederatedSignIn
    );
    let mut denied = callback(&other, "mina");
    denied.error = Some("access_denied\nforged log line".into());
    assert_eq!(refused(denied).await, Refusal::FederatedSignIn);
    assert_eq!(
        refused(callback(&other, "mina")).await,
        Refusal::FederatedSignIn
    );
    let forged = sign_in(&world, "trusted", "forged").await;
    assert_eq!(refusal(forged), Refusal::FederatedSignIn);
    // Another caller, and another group.
    let begun = begin(&world, "trusted", None).await.expect("begun");
    let proof = FederatedProof::Callback(Box::new(callback(&begun, "mina")));
    let other_caller = IssueTokens {
        client_id: "other".into(),
        ..issue(proof)
    };
    let other_caller = other_caller.execute(&world.app).await;
    assert_eq!(refusal(other_caller), Refusal::FederatedSignIn);
    // Ten minutes, and also if the clock is set back meanwhile.
    world.clock.advance(Duration::from_secs(601));
    assert_eq!(
        refused(callback(&begun, "mina")).await,
        Refusal::FederatedSignIn
    );
    let begun = begin(&world, "trusted", None).await.expect("begun");
    finish(&world, callback(&begun, "mina"))
        .await
        .expect("signed in");
    world.clock.advance(Duration::from_secs(599));
    assert_eq!(
        refused(callback(&begun, "mina")).await,
        Refusal::FederatedSignIn
    );
}

#[tokio::test]
async fn a_sign_in_is_no_linking_and_a_linking_no_sign_in() {
    let world = World::new().await;
    let (_, tokens) = mina(&world).await;
    let begun = begin(&world, "loose", Some(&tokens.access_token)).await;
    let begun = begun.expect("begun");
    let as_sign_in = finish(&world, callback(&begun, "evil")).await;
    assert_eq!(refusal(as_sign_in), Refusal::FederatedSignIn);
    let begun = begin(&world, "loose", None).await.expect("begun");
    let account = AccountToLink::Callback(Box::new(callback(&begun, "evil")));
    let as_linking = link(&tokens, account).execute(&world.app).await;
    assert_eq!(refusal(as_linking), Refusal::FederatedSignIn);
    // Of one person in another's session.
    let account = unlinked(&world, "trusted", "suho").await;
    sign_up(&world, "suho@example.com", &account.token)
        .await
        .expect("signed up");
    let suho = sign_in(&world, "trusted", "suho")
        .await
        .expect("signed in")
        .into_tokens();
    let begun = begin(&world, "loose", Some(&suho.access_token))
        .await
        .expect("begun");
    let account = AccountToLink::Callback(Box::new(callback(&begun, "evil")));
    let crossed = link(&tokens, account).execute(&world.app).await;
    assert_eq!(refusal(crossed), Refusal::FederatedSignIn);
    assert_eq!(listed(&world, &tokens).await.len(), 1);
}

#[tokio::test]
async fn a_suspended_person_hears_so_and_a_second_factor_is_asked_for() {
    let world = World::with(|settings| settings.mfa_policy = MfaPolicy::Required).await;
    let account = unlinked(&world, "trusted", "mina").await;
    let id = sign_up(&world, "mina@example.com", &account.token).await;
    let id = id.expect("signed up");
    // A code to the address, since nothing is enrolled.
    let asked = sign_in(&world, "trusted", "mina").await;
    assert!(matches!(asked, Ok(Issued::MfaRequired(_))), "{asked:?}");
    SuspendUser {
        id,
        etag: None,
        reason: SuspensionReason::parse("spam").expect("a reason"),
        until: None,
    }
    .execute(&world.app)
    .await
    .expect("suspended");
    let suspended = sign_in(&world, "trusted", "mina").await;
    assert_eq!(refusal(suspended), Refusal::UserSuspended);
}

#[tokio::test]
async fn an_app_signs_in_with_an_id_token_once() {
    let world = World::new().await;
    let (id, _) = mina(&world).await;
    let token = || {
        let token = NativeIdToken {
            id_token: ProviderSecret::new("mina".into()),
            nonce: None,
            user: None,
        };
        FederatedProof::IdToken(provider("trusted"), Box::new(token))
    };
    let signed_in = issue(token()).execute(&world.app).await;
    assert_eq!(signed_in.expect("signed in").into_tokens().user_id, id);
    world.clock.advance(Duration::from_secs(24 * 3600));
    let twice = issue(token()).execute(&world.app).await;
    assert_eq!(refusal(twice), Refusal::FederatedSignIn);
}

#[tokio::test]
async fn a_provider_that_is_down_charges_nobody_and_says_so() {
    let world = World::new().await;
    mina(&world).await;
    let begun = begin(&world, "trusted", None).await.expect("begun");
    world.providers.set_down(true);
    let down = begin(&world, "trusted", None).await;
    assert!(
        matches!(down, Err(Error::ProviderUnavailable(_))),
        "{down:?}"
    );
    let down = finish(&world, callback(&begun, "mina")).await;
    assert!(
        matches!(down, Err(Error::ProviderUnavailable(_))),
        "{down:?}"
    );
    world.providers.set_down(false);
    // What is forged is charged to its source, and in the end nothing of it is asked about.
    let mut limited = false;
    for _ in 0..1_000 {
        match sign_in(&world, "trusted", "forged").await {
            Err(Error::Refused(Refusal::FederatedSignIn)) => {}
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            }) => {
                limited = true;
                break;
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
    assert!(limited, "nobody was charged");
}

#[tokio::test]
async fn what_was_begun_before_all_sessions_ended_is_worth_nothing() {
    let world = World::new().await;
    let account = unlinked(&world, "trusted", "mina").await;
    let id = sign_up(&world, "mina@example.com", &account.token).await;
    let id = id.expect("signed up");
    let suspend = SuspendUser {
        id,
        etag: None,
        reason: SuspensionReason::parse("spam").expect("a reason"),
        until: None,
    };
    suspend.execute(&world.app).await.expect("suspended");
    let reinstate = ReinstateUser { id, etag: None };
    reinstate.execute(&world.app).await.expect("reinstated");
    let stale = issue(FederatedProof::Token(account.token));
    let stale = stale.execute(&world.app).await;
    assert_eq!(refusal(stale), Refusal::FederationToken);
    // Who shows the account anew is let in.
    let again = sign_in(&world, "trusted", "mina").await.expect("signed in");
    assert_eq!(again.into_tokens().user_id, id);
}
