//! Signing in with accounts at providers: who is let in, who is not, and what becomes of linked
//! accounts.

use std::time::Duration;

use countersign_domain::application::{BegunFederatedSignIn, Tokens};
use countersign_domain::model::{
    AuditAction, AuditFilter, ClientContext, DeviceClaim, FederatedCallback, GroupId, Locale,
    MfaPolicy, NativeIdToken, PageSize, ProviderId, ProviderNotification, ProviderSecret, Purpose,
    SealedText, SuspensionReason, UserId,
};
use countersign_domain::ports::Content;
use countersign_domain::testing::{World, address, refusal};
use countersign_domain::use_cases::{
    AccountToLink, BeginFederatedSignIn, DeleteUser, FederatedProof, Grant, IssueTokens, Issued,
    LinkFederatedIdentity, ListAuditEvents, ListFederatedIdentities, ListedIdentity,
    ReceiveProviderNotification, ReinstateUser, SignUp, SignUpBy, SignedUp, SuspendUser,
    UnlinkFederatedIdentity, UnlinkedAccount, WithdrawUser,
};
use countersign_domain::{Error, Limit, Refusal};

const CLIENT: &str = "gateway";

fn provider(name: &str) -> ProviderId {
    ProviderId::parse(name).expect("a name")
}

async fn begin(
    world: &World,
    name: &str,
    token: Option<&str>,
) -> Result<BegunFederatedSignIn, Error> {
    BeginFederatedSignIn {
        group: GroupId::fallback(),
        client_id: CLIENT.into(),
        provider: provider(name),
        redirect_uri: "https://login.example/callback".into(),
        access_token: token.map(str::to_owned),
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
}

/// What comes back of a sign-in, with a code that names somebody.
fn callback(begun: &BegunFederatedSignIn, code: &str) -> FederatedCallback {
    let (_, state) = begun
        .authorization_url
        .split_once("state=")
        .expect("a state");
    FederatedCallback {
        sign_in: SealedText::parse(begun.sign_in.as_str().to_owned()).expect("a text"),
        state: state.into(),
        code: Some(ProviderSecret::new(code.into())),
        issuer: None,
        error: None,
        user: None,
    }
}

fn issue(proof: FederatedProof) -> IssueTokens {
    IssueTokens {
        group: GroupId::fallback(),
        grant: Grant::Federated(proof),
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: CLIENT.into(),
        client: ClientContext {
            ip_address: "198.51.100.7".parse().ok(),
            ..ClientContext::default()
        },
        device: DeviceClaim::Untold,
        locale: Locale::English,
    }
}

async fn finish(world: &World, callback: FederatedCallback) -> Result<Issued, Error> {
    let proof = FederatedProof::Callback(Box::new(callback));
    issue(proof).execute(&world.app).await
}

/// Signs in at a provider.
async fn sign_in(world: &World, name: &str, code: &str) -> Result<Issued, Error> {
    let begun = begin(world, name, None).await?;
    finish(world, callback(&begun, code)).await
}

async fn unlinked(world: &World, name: &str, code: &str) -> UnlinkedAccount {
    match sign_in(world, name, code).await {
        Ok(Issued::Unlinked(account)) => *account,
        other => panic!("the account is linked to nobody: {other:?}"),
    }
}

async fn sign_up(world: &World, email: &str, token: &SealedText) -> Result<UserId, Error> {
    let sign_up = SignUp {
        group: GroupId::fallback(),
        address: address(email),
        username: None,
        by: SignUpBy::Federated {
            token: token.clone(),
            proof: None,
            password: None,
            client_id: CLIENT.into(),
        },
        locale: Locale::English,
        client: ClientContext::default(),
    };
    match sign_up.execute(&world.app).await? {
        SignedUp::Active(id) => Ok(id),
        SignedUp::Pending { .. } => panic!("the user is active at once"),
    }
}

/// Somebody who has signed up with an account at the trusted provider.
async fn mina(world: &World) -> (UserId, Tokens) {
    let account = unlinked(world, "trusted", "mina").await;
    let id = sign_up(world, "mina@example.com", &account.token).await;
    let id = id.expect("signed up");
    let tokens = issue(FederatedProof::Token(account.token));
    let tokens = tokens.execute(&world.app).await.expect("signed in");
    (id, tokens.into_tokens())
}

async fn listed(world: &World, tokens: &Tokens) -> Vec<ListedIdentity> {
    let list = ListFederatedIdentities {
        access_token: tokens.access_token.clone(),
    };
    list.execute(&world.app).await.expect("a list")
}

fn link(tokens: &Tokens, account: AccountToLink) -> LinkFederatedIdentity {
    LinkFederatedIdentity {
        access_token: tokens.access_token.clone(),
        account,
        client_id: CLIENT.into(),
        locale: Locale::English,
    }
}

async fn link_at(
    world: &World,
    tokens: &Tokens,
    name: &str,
    code: &str,
) -> Result<ListedIdentity, Error> {
    let begun = begin(world, name, Some(&tokens.access_token)).await?;
    let account = AccountToLink::Callback(Box::new(callback(&begun, code)));
    link(tokens, account).execute(&world.app).await
}

async fn unlink(world: &World, tokens: &Tokens, identity: &ListedIdentity) -> Result<(), Error> {
    UnlinkFederatedIdentity {
        access_token: tokens.access_token.clone(),
        id: identity.identity.id,
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
}

async fn notify(world: &World, name: &str, body: &str) -> Result<(), Error> {
    ReceiveProviderNotification {
        provider: provider(name),
        notification: ProviderNotification {
            content_type: String::new(),
            authorization: String::new(),
            query: String::new(),
            body: body.into(),
        },
    }
    .execute(&world.app)
    .await
}

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
async fn an_account_is_linked_by_a_recent_sign_in_and_told_of() {
    let world = World::new().await;
    let (id, tokens) = mina(&world).await;
    world.take_sent().await;
    let linked = link_at(&world, &tokens, "loose", "m2")
        .await
        .expect("linked");
    let sent = world.take_sent().await;
    assert!(
        matches!(sent[..], [ref one] if matches!(one.content, Content::FederatedIdentityLinked))
    );
    let by_other = sign_in(&world, "loose", "m2").await.expect("signed in");
    assert_eq!(by_other.into_tokens().user_id, id);
    // It is hers, and nobody else's.
    let again = link_at(&world, &tokens, "loose", "m2").await;
    assert_eq!(refusal(again), Refusal::FederatedIdentityTaken);
    // With what stands for an account, which is good once.
    let waiting = unlinked(&world, "loose", "m3").await;
    let account = || AccountToLink::Token(waiting.token.clone());
    link(&tokens, account())
        .execute(&world.app)
        .await
        .expect("linked");
    let twice = link(&tokens, account()).execute(&world.app).await;
    assert_eq!(refusal(twice), Refusal::FederationToken);
    unlink(&world, &tokens, &linked).await.expect("unlinked");
    let gone = unlink(&world, &tokens, &linked).await;
    assert_eq!(refusal(gone), Refusal::FederatedIdentity);
    assert!(matches!(
        sign_in(&world, "loose", "m2").await,
        Ok(Issued::Unlinked(_))
    ));
    // Not by an old sign-in.
    world.clock.advance(Duration::from_secs(601));
    let stale = link_at(&world, &tokens, "loose", "m4").await;
    assert!(matches!(stale, Err(Error::Refused(_))), "{stale:?}");
}

#[tokio::test]
async fn ten_accounts_and_no_more_are_linked() {
    let world = World::new().await;
    let (_, tokens) = mina(&world).await;
    for number in 1..10 {
        let code = format!("m{number}");
        link_at(&world, &tokens, "loose", &code)
            .await
            .expect("linked");
    }
    let one_more = link_at(&world, &tokens, "loose", "m10").await;
    assert_eq!(refusal(one_more), Refusal::TooManyFederatedIdentities);
    assert_eq!(listed(&world, &tokens).await.len(), 10);
}

#[tokio::test]
async fn the_last_way_in_is_kept() {
    // Without a sender there are no codes to sign in with.
    let world = World::without_sender().await;
    let (_, tokens) = mina(&world).await;
    let only = listed(&world, &tokens).await.remove(0);
    let last = unlink(&world, &tokens, &only).await;
    assert_eq!(refusal(last), Refusal::LastWayIn);
    link_at(&world, &tokens, "loose", "m2")
        .await
        .expect("linked");
    unlink(&world, &tokens, &only).await.expect("unlinked");
    assert_eq!(listed(&world, &tokens).await.len(), 1);
}

#[tokio::test]
async fn who_leaves_takes_the_consent_back_even_if_the_provider_is_down() {
    let world = World::new().await;
    let (id, _) = mina(&world).await;
    world.providers.set_down(true);
    WithdrawUser { id, etag: None }
        .execute(&world.app)
        .await
        .expect("withdrawn");
    world.take_sent().await;
    assert!(world.providers.take_revoked().is_empty());
    world.providers.set_down(false);
    // It is tried again for days.
    world.clock.advance(Duration::from_secs(2 * 24 * 3600));
    world.take_sent().await;
    assert_eq!(world.providers.take_revoked(), ["refresh-mina"]);
    world.clock.advance(Duration::from_secs(3600));
    world.take_sent().await;
    assert!(world.providers.take_revoked().is_empty());
    // The account is nobody's, and its address may not join again yet.
    let account = unlinked(&world, "trusted", "mina").await;
    let again = sign_up(&world, "mina@example.com", &account.token).await;
    assert!(matches!(refusal(again), Refusal::UserWithdrawn { .. }));
}

#[tokio::test]
async fn a_deleted_user_and_an_unlinked_account_take_the_consent_back_too() {
    let world = World::new().await;
    let (id, tokens) = mina(&world).await;
    let linked = link_at(&world, &tokens, "loose", "m2")
        .await
        .expect("linked");
    unlink(&world, &tokens, &linked).await.expect("unlinked");
    world.take_sent().await;
    assert_eq!(world.providers.take_revoked(), ["refresh-m2"]);
    DeleteUser { id, etag: None }
        .execute(&world.app)
        .await
        .expect("deleted");
    world.take_sent().await;
    assert_eq!(world.providers.take_revoked(), ["refresh-mina"]);
}

#[tokio::test]
async fn a_message_of_the_provider_unlinks_and_ends_sessions() {
    let world = World::new().await;
    let (id, tokens) = mina(&world).await;
    assert_eq!(
        refusal(notify(&world, "trusted", "forged").await),
        Refusal::ProviderNotification
    );
    assert_eq!(
        refusal(notify(&world, "nobody", "ping").await),
        Refusal::Provider
    );
    for harmless in ["ping", "revoked nobody", "sessions nobody"] {
        notify(&world, "trusted", harmless).await.expect("taken");
    }
    // Another provider's subject of the same name.
    notify(&world, "loose", "revoked mina")
        .await
        .expect("taken");
    assert_eq!(listed(&world, &tokens).await.len(), 1);
    notify(&world, "trusted", "sessions mina")
        .await
        .expect("taken");
    let list = ListFederatedIdentities {
        access_token: tokens.access_token.clone(),
    };
    assert_eq!(
        refusal(list.execute(&world.app).await),
        Refusal::AccessToken(None)
    );
    let again = sign_in(&world, "trusted", "mina").await.expect("signed in");
    assert_eq!(again.into_tokens().user_id, id);
    for _ in 0..2 {
        notify(&world, "trusted", "deleted mina")
            .await
            .expect("taken");
    }
    assert!(matches!(
        sign_in(&world, "trusted", "mina").await,
        Ok(Issued::Unlinked(_))
    ));
    let told = ListAuditEvents {
        filter: AuditFilter {
            user: Some(id),
            ..AuditFilter::default()
        },
        size: PageSize::parse(100).expect("a size"),
        after: None,
    };
    let told = told.execute(&world.app).await.expect("a list");
    let actions: Vec<_> = told.events.iter().map(|event| event.action).collect();
    for action in [
        AuditAction::FederatedIdentityUnlinked,
        AuditAction::UserSessionsRevoked,
    ] {
        assert!(actions.contains(&action), "{actions:?}");
    }
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
async fn a_damaged_account_keeps_nobody_from_leaving() {
    let world = World::new().await;
    let (id, tokens) = mina(&world).await;
    world.store.damage_federated_identities().await;
    let listed = listed(&world, &tokens).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].masked_email, None);
    // It is found by its digest, and signs in all the same.
    sign_in(&world, "trusted", "mina").await.expect("signed in");
    WithdrawUser { id, etag: None }
        .execute(&world.app)
        .await
        .expect("withdrawn");
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

#[tokio::test]
async fn a_repeated_message_ends_no_later_session() {
    let world = World::new().await;
    mina(&world).await;
    notify(&world, "trusted", "sessions mina")
        .await
        .expect("taken");
    let again = sign_in(&world, "trusted", "mina").await.expect("signed in");
    let again = again.into_tokens();
    notify(&world, "trusted", "sessions mina")
        .await
        .expect("taken");
    assert_eq!(listed(&world, &again).await.len(), 1);
}

#[tokio::test]
async fn a_sign_in_at_a_provider_alone_enrols_nothing_where_all_need_two_factors() {
    let world = World::new().await;
    let (_, tokens) = mina(&world).await;
    let mut world = world;
    world.reconfigure(|settings| settings.mfa_policy = MfaPolicy::Required);
    let linked = link_at(&world, &tokens, "loose", "m2").await;
    assert_eq!(refusal(linked), Refusal::SecondFactorRequired);
}
