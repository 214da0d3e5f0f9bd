//! Linked accounts: linking and unlinking, and what becomes of them when somebody leaves, or the provider says so.

use countersign_domain::model::{
    AuditAction, AuditFilter, Code, GroupId, Locale, MfaPolicy, PageSize, Purpose,
};
use countersign_domain::ports::Content;
use countersign_domain::testing::{World, address, refusal, send_code};
use countersign_domain::use_cases::{
    AccountToLink, ChangeIdentifier, CheckCode, DeleteUser, Issued, ListAuditEvents,
    ListFederatedIdentities, SendCode, UndoIdentifierChange, Which, WithdrawUser,
};
use countersign_domain::{Error, Refusal};
use std::time::Duration;

use super::support::{link, link_at, listed, mina, notify, sign_in, sign_up, unlink, unlinked};

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
async fn an_account_of_an_issuer_that_is_not_configured_is_no_way_in() {
    let world = World::without_sender().await;
    let (_, tokens) = mina(&world).await;
    let of_trusted = listed(&world, &tokens).await.remove(0);
    let of_loose = link_at(&world, &tokens, "loose", "m2")
        .await
        .expect("linked");
    // The name of the first provider is another issuer's.
    world.providers.set_moved(true);
    let last = unlink(&world, &tokens, &of_loose).await;
    assert_eq!(refusal(last), Refusal::LastWayIn);
    world.providers.set_moved(false);
    unlink(&world, &tokens, &of_loose).await.expect("unlinked");
    let last = unlink(&world, &tokens, &of_trusted).await;
    assert_eq!(refusal(last), Refusal::LastWayIn);
}

#[tokio::test]
async fn what_was_handed_out_for_an_account_ends_with_its_provider() {
    let world = World::new().await;
    let account = unlinked(&world, "trusted", "bora").await;
    world.providers.set_moved(true);
    let refused = sign_up(&world, "bora@example.com", &account.token).await;
    assert_eq!(refusal(refused), Refusal::FederationToken);
    world.providers.set_moved(false);
    let signed_up = sign_up(&world, "bora@example.com", &account.token).await;
    signed_up.expect("signed up");
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

#[tokio::test]
async fn an_undo_of_an_address_change_unlinks_what_the_thief_has_linked() {
    const PASSWORD: &str = "a long enough phrase";
    let world = World::new().await;
    world.user("jiho@example.com", PASSWORD).await;
    let tokens = world.sign_in("jiho@example.com", PASSWORD).await;
    let tokens = tokens.expect("signed in");
    world.take_sent().await;
    link_at(&world, &tokens, "loose", "thief")
        .await
        .expect("linked");
    let code = || Code::parse("135790".into()).expect("a code");
    let send = SendCode {
        access_token: Some(tokens.access_token.clone()),
        code: Some(code()),
        ..send_code("thief@example.com", Purpose::ChangeIdentifier)
    };
    let sent = send.execute(&world.app).await.expect("sent");
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: code(),
    };
    let checked = check.execute(&world.app).await.expect("a proof");
    let change = ChangeIdentifier {
        access_token: tokens.access_token.clone(),
        replaced: address("jiho@example.com"),
        proof: checked.proof,
        locale: Locale::English,
    };
    change.execute(&world.app).await.expect("changed");
    sign_in(&world, "loose", "thief").await.expect("signed in");
    let sent = world.take_sent().await.into_iter();
    let mut undo = sent.filter_map(|message| match message.content {
        Content::IdentifierChanged { token, .. } => Some(token),
        _ => None,
    });
    let undo = UndoIdentifierChange {
        group: GroupId::fallback(),
        token: undo.next().expect("a notice"),
        locale: Locale::English,
    };
    undo.execute(&world.app).await.expect("undone");
    let back = sign_in(&world, "loose", "thief").await;
    assert!(matches!(back, Ok(Issued::Unlinked(_))), "{back:?}");
}
