//! Tokens of service accounts that are revoked on one replica, and asked about on
//! another.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PATIENCE, World, by_assertion, by_secret, comes_true, on_every_backend,
    reason,
};
use countersign_token::Algorithm;

use super::world;

on_every_backend!(what_is_taken_away_is_rejected_everywhere);

/// Within which another replica rejects what was revoked.
const BOUND: Duration = Duration::from_secs(2);

async fn what_is_taken_away_is_rejected_everywhere(backend: Backend) {
    let world = world(backend, backend.replicas()).await;
    let here = world.replica(0).gateway();
    let there = world.replica(world.replicas().len() - 1).gateway();
    let account = here.make_service_account("", &[], &[]).await;
    let (secret, secret_id) = here.new_secret(&account).await;
    let (other, _) = here.new_secret(&account).await;
    let (key, _) = here.new_assertion_key(&account, Algorithm::Es256).await;
    let token = async |gateway: &Gateway, secret: &str| {
        let got = gateway.sign_in_service_account(&account, by_secret(secret), &[]);
        got.await.expect("a token").access_token
    };
    let mut waits = Vec::new();

    // One token alone.
    let (one, two) = (token(&here, &secret).await, token(&there, &secret).await);
    for token in [&one, &two] {
        assert_eq!(there.judge(token).await, "VALID");
    }
    here.revoke(&one).await.expect("revoked");
    waits.push(rejected(&here, &there, &one).await);
    assert_eq!(there.judge(&two).await, "VALID");

    // All that were got with a secret.
    let kept = token(&there, &other).await;
    let remove = v1::RemoveServiceAccountCredentialRequest {
        service_account_id: account.service_account_id.clone(),
        credential_id: secret_id,
    };
    let mut accounts = here.service_accounts();
    let removed = accounts.remove_service_account_credential(remove.clone());
    removed.await.expect("removed");
    waits.push(rejected(&here, &there, &two).await);
    assert_eq!(there.judge(&kept).await, "VALID");
    let again = accounts.remove_service_account_credential(remove).await;
    assert_eq!(reason(&again), "SERVICE_ACCOUNT_NOT_FOUND");
    let refused = there.sign_in_service_account(&account, by_secret(&secret), &[]);
    assert_eq!(reason(&refused.await), "SIGN_IN_REFUSED");

    // All of a disabled account, whatever they were got with.
    let assertion = key.assertion(&account.service_account_id, "before");
    let by_key = there.sign_in_service_account(&account, by_assertion(&assertion), &[]);
    let by_key = by_key.await.expect("a token").access_token;
    disable(&here, &account, true).await;
    waits.push(rejected(&here, &there, &kept).await);
    waits.push(rejected(&here, &there, &by_key).await);
    let refused = there.sign_in_service_account(&account, by_secret(&other), &[]);
    assert_eq!(reason(&refused.await), "SIGN_IN_REFUSED");
    disable(&there, &account, false).await;
    let anew = token(&here, &other).await;
    for gateway in [&here, &there] {
        assert_eq!(gateway.judge(&anew).await, "VALID");
        assert_eq!(gateway.judge(&kept).await, "REVOKED");
    }

    // All of an account that is deleted; and a replica that is started again knows it.
    let delete = v1::DeleteServiceAccountRequest {
        service_account_id: account.service_account_id.clone(),
        etag: String::new(),
    };
    let deleted = accounts.delete_service_account(delete).await;
    deleted.expect("deleted");
    waits.push(rejected(&here, &there, &anew).await);
    let last = world.replicas().last().expect("a replica");
    last.kill_and_try_start().await.expect("it starts");
    for token in [&one, &two, &kept, &by_key, &anew] {
        assert_eq!(last.gateway().judge(token).await, "REVOKED");
    }
    let late = waits.iter().filter(|wait| **wait > BOUND).count();
    countersign_tests::say!(
        "service accounts on {backend}, {} replica(s): {} revocations, rejected by another \
         replica at the latest after {:?}; later than {BOUND:?}: {late}",
        world.replicas().len(),
        waits.len(),
        waits.iter().max().copied().unwrap_or_default(),
    );
    groups_with_service_accounts_stay(&world, &world.gateway()).await;
}

/// How long after the answer another replica rejects a token; the one that has answered
/// does at once.
async fn rejected(here: &Gateway, there: &Gateway, token: &str) -> Duration {
    assert_eq!(here.judge(token).await, "REVOKED", "with the answer");
    let is_rejected = || async { there.judge(token).await == "REVOKED" };
    comes_true(PATIENCE, is_rejected)
        .await
        .expect("it is rejected")
}

async fn disable(gateway: &Gateway, account: &v1::ServiceAccount, disabled: bool) {
    let request = v1::UpdateServiceAccountRequest {
        service_account: Some(v1::ServiceAccount {
            service_account_id: account.service_account_id.clone(),
            disabled,
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["disabled".into()],
        }),
    };
    let changed = gateway
        .service_accounts()
        .update_service_account(request)
        .await;
    changed.expect("changed");
}

async fn groups_with_service_accounts_stay(world: &World, gateway: &Gateway) {
    world.make_groups(&["staff"]).await;
    let account = gateway.make_service_account("staff", &[], &[]).await;
    let delete = || v1::DeleteGroupRequest {
        group_id: "staff".into(),
        etag: String::new(),
    };
    let refused = gateway.groups().delete_group(delete()).await;
    assert_eq!(reason(&refused), "GROUP_NOT_EMPTY");
    let gone = v1::DeleteServiceAccountRequest {
        service_account_id: account.service_account_id,
        etag: account.etag,
    };
    let gone = gateway
        .service_accounts()
        .delete_service_account(gone)
        .await;
    gone.expect("deleted");
    let deleted = gateway.groups().delete_group(delete()).await;
    deleted.expect("nobody is in it");
}
