//! Service accounts, and what they prove themselves with.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{Algorithm, SigningKey};

use super::subject::{StoreSubject, is_taken, scope};
use crate::model::{
    Group, KeyHash, PageSize, ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialId,
    ServiceAccountCredentialKind, ServiceAccountGrants, ServiceAccountId, UserRole,
};
use crate::ports::StoreError;

/// Long enough for a unit of work that does not wait.
const A_WHILE: Duration = Duration::from_millis(150);

fn new_account(law: &StoreSubject) -> ServiceAccount {
    let id = ServiceAccountId::generate(law.now, &law.random);
    ServiceAccount {
        display_name: "야간 정산".into(),
        description: "settles at night,\n옛 서버를 대신한다".into(),
        grants: ServiceAccountGrants {
            roles: vec![UserRole::parse("billing").expect("a role")],
            scopes: vec![scope("orders:read"), scope("orders:write")],
            audiences: vec!["https://api.example.com".into()],
        },
        ..ServiceAccount::new(id, law.group.clone(), law.now)
    }
}

fn new_credential(
    law: &StoreSubject,
    kind: ServiceAccountCredentialKind,
    after: u64,
) -> ServiceAccountCredential {
    ServiceAccountCredential {
        id: ServiceAccountCredentialId::generate(law.now, &law.random),
        kind,
        sid: ServiceAccountCredential::new_sid(&law.random),
        created_at: law.later(after),
        expires_at: (after % 2 == 1).then(|| law.later(9_000)),
    }
}

fn new_secret(law: &StoreSubject, after: u64) -> ServiceAccountCredential {
    let hash = KeyHash::from_bytes(law.bytes());
    new_credential(law, ServiceAccountCredentialKind::Secret(hash), after)
}

/// An account with its credentials that is in the store.
async fn insert(
    law: &StoreSubject,
    account: ServiceAccount,
    credentials: Vec<ServiceAccountCredential>,
) -> ServiceAccount {
    let mut uow = law.begin().await;
    let inserted = uow.insert_service_account(&account).await;
    inserted.expect("a new account");
    for credential in &credentials {
        let added = uow.insert_service_account_credential(account.id, credential);
        added.await.expect("a new credential");
    }
    uow.commit().await.expect("committed");
    ServiceAccount {
        credentials,
        ..account
    }
}

async fn find(law: &StoreSubject, id: ServiceAccountId) -> Option<ServiceAccount> {
    let found = law.store.service_account(id).await.expect("readable");
    let mut uow = law.begin().await;
    let locked = uow.lock_service_account(id).await.expect("readable");
    assert_eq!(locked, found, "both tell the same");
    found
}

/// Every field survives, of secrets and of keys of each algorithm.
pub async fn a_service_account_is_read_as_written(law: &StoreSubject) {
    let mut credentials = vec![new_secret(law, 0), new_secret(law, 1)];
    for (after, algorithm) in (2..).zip([Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256]) {
        let key = SigningKey::generate(algorithm).expect("a key");
        let jwk = key.verifying_key().to_jwk().expect("a public key");
        let kind = ServiceAccountCredentialKind::Key(Box::new(jwk));
        credentials.push(new_credential(law, kind, after));
    }
    let account = insert(law, new_account(law), credentials).await;
    assert_eq!(find(law, account.id).await, Some(account));
    let id = ServiceAccountId::generate(law.now, &law.random);
    let bare = ServiceAccount {
        is_disabled: true,
        revision: 7,
        updated_at: law.later(5),
        ..ServiceAccount::new(id, law.group.clone(), law.now)
    };
    let bare = insert(law, bare, vec![]).await;
    assert_eq!(find(law, bare.id).await, Some(bare));
    let nobody = ServiceAccountId::generate(law.now, &law.random);
    assert_eq!(find(law, nobody).await, None);
}

/// An id is one account's; an id of a credential and a `sid` are one credential's.
pub async fn ids_of_service_accounts_are_taken_once(law: &StoreSubject) {
    let account = insert(law, new_account(law), vec![new_secret(law, 0)]).await;
    let mut uow = law.begin().await;
    let again = uow.insert_service_account(&account).await;
    assert!(is_taken(&again), "{again:?}");
    drop(uow);
    let known = &account.credentials[0];
    let with_id = ServiceAccountCredential {
        id: known.id,
        ..new_secret(law, 1)
    };
    let with_sid = ServiceAccountCredential {
        sid: known.sid,
        ..new_secret(law, 1)
    };
    for credential in [with_id, with_sid] {
        let mut uow = law.begin().await;
        let added = uow.insert_service_account_credential(account.id, &credential);
        let added = added.await;
        assert!(is_taken(&added), "{added:?}");
    }
    assert_eq!(find(law, account.id).await, Some(account));
}

/// What changes is written, and nothing of another account.
pub async fn a_service_account_is_changed_and_deleted(law: &StoreSubject) {
    let account = insert(law, new_account(law), vec![new_secret(law, 0)]).await;
    let other = insert(law, new_account(law), vec![new_secret(law, 0)]).await;
    let changed = ServiceAccount {
        display_name: "another".into(),
        description: String::new(),
        is_disabled: true,
        grants: ServiceAccountGrants::default(),
        revision: 2,
        updated_at: law.later(5),
        ..account
    };
    let mut uow = law.begin().await;
    let locked = uow.lock_service_account(changed.id).await;
    assert!(locked.expect("readable").is_some());
    let updated = uow.update_service_account(&changed).await;
    updated.expect("changed");
    uow.commit().await.expect("committed");
    assert_eq!(find(law, changed.id).await.as_ref(), Some(&changed));
    assert_eq!(find(law, other.id).await.as_ref(), Some(&other));

    for was_there in [true, false] {
        let mut uow = law.begin().await;
        let deleted = uow.delete_service_account(changed.id).await;
        assert_eq!(deleted.expect("an answer"), was_there);
        uow.commit().await.expect("committed");
    }
    let mut uow = law.begin().await;
    let gone = uow.update_service_account(&changed).await;
    assert!(matches!(gone, Err(StoreError::Conflict)), "{gone:?}");
    drop(uow);
    assert_eq!(find(law, changed.id).await, None);
    assert_eq!(find(law, other.id).await, Some(other));
    // Its credentials went with it: their ids are free.
    let account = new_account(law);
    insert(law, account, changed.credentials).await;
}

/// A credential is its account's alone, and needs one.
pub async fn credentials_of_service_accounts_come_and_go_one_by_one(law: &StoreSubject) {
    let credentials = vec![new_secret(law, 0), new_secret(law, 1)];
    let mut account = insert(law, new_account(law), credentials).await;
    let other = insert(law, new_account(law), vec![]).await;
    let renewed = ServiceAccountCredential::new_sid(&law.random);
    let id = account.credentials[0].id;
    for (of, is_its) in [(other.id, false), (account.id, true)] {
        let mut uow = law.begin().await;
        let told = uow.renew_service_account_sid(of, id, renewed).await;
        assert_eq!(told.expect("an answer"), is_its);
        uow.commit().await.expect("committed");
    }
    account.credentials[0].sid = renewed;
    assert_eq!(find(law, account.id).await.as_ref(), Some(&account));

    let removed = account.credentials.remove(1);
    for (of, is_its) in [(other.id, false), (account.id, true), (account.id, false)] {
        let mut uow = law.begin().await;
        let told = uow.delete_service_account_credential(of, removed.id).await;
        assert_eq!(told.expect("an answer"), is_its);
        uow.commit().await.expect("committed");
    }
    assert_eq!(find(law, account.id).await, Some(account));
    let nobody = ServiceAccountId::generate(law.now, &law.random);
    let mut uow = law.begin().await;
    let added = uow.insert_service_account_credential(nobody, &removed);
    assert!(added.await.is_err(), "a credential of nobody");
}

/// Each once, of one group or of all.
pub async fn service_accounts_are_listed_page_by_page(law: &StoreSubject) {
    let mut wanted = Vec::new();
    for _ in 0..5 {
        let account = insert(law, new_account(law), vec![new_secret(law, 0)]).await;
        wanted.push(account);
    }
    let elsewhere = ServiceAccount {
        group: law.other_group(),
        ..new_account(law)
    };
    let elsewhere = insert(law, elsewhere, vec![]).await;
    wanted.sort_by_key(|account| account.id);
    let size = PageSize::parse(2).expect("a size");
    let list = async |group| {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = law.store.service_accounts_after(group, after, size).await;
            let page = page.expect("readable");
            assert!(page.accounts.len() <= 2, "{}", page.accounts.len());
            listed.extend(page.accounts);
            match page.next {
                Some(next) => after = Some(next),
                None => return listed,
            }
        }
    };
    assert_eq!(list(Some(&law.group)).await, wanted);
    let mut all = list(None).await;
    all.retain(|account| account.group == law.group || account.group == elsewhere.group);
    wanted.push(elsewhere);
    wanted.sort_by_key(|account| account.id);
    assert_eq!(all, wanted);
}

/// Whoever changes an account waits for those who do, and sees what they did.
pub async fn a_locked_service_account_makes_others_wait(law: &StoreSubject) {
    let account = insert(law, new_account(law), vec![]).await;
    let mut first = law.begin().await;
    let locked = first.lock_service_account(account.id).await;
    assert!(locked.expect("readable").is_some());
    let (store, id) = (Arc::clone(&law.store), account.id);
    let second = tokio::spawn(async move {
        let mut uow = store.begin().await?;
        uow.lock_service_account(id).await
    });
    tokio::time::sleep(A_WHILE).await;
    assert!(!second.is_finished(), "it did not wait");
    let secret = new_secret(law, 0);
    let added = first.insert_service_account_credential(account.id, &secret);
    added.await.expect("a new credential");
    first.commit().await.expect("committed");
    let seen = second.await.expect("no panic").expect("an answer");
    assert_eq!(seen.expect("it is there").credentials, [secret]);
}

/// A group has service accounts from when one comes into it.
pub async fn service_accounts_are_in_their_group(law: &StoreSubject) {
    let mut uow = law.begin().await;
    let group = Group::new(law.group.clone(), law.now);
    uow.insert_group(&group).await.expect("a new group");
    let has = uow.has_service_accounts(&law.group).await;
    assert!(!has.expect("an answer"));
    let account = new_account(law);
    let inserted = uow.insert_service_account(&account).await;
    inserted.expect("a new account");
    let has = uow.has_service_accounts(&law.group).await;
    assert!(has.expect("an answer"));
    let elsewhere = uow.has_service_accounts(&law.other_group()).await;
    assert!(!elsewhere.expect("an answer"));
}
