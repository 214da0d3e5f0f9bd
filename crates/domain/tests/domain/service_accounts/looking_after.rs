//! What operators do to service accounts.

use countersign_domain::model::{PageSize, ServiceAccountCredentialKind, ServiceAccountPageToken};
use countersign_domain::use_cases::{
    CreateGroup, DeleteGroup, DeleteServiceAccount, ListServiceAccounts,
    RemoveServiceAccountCredential, UpdateServiceAccount,
};

use super::*;

fn update(account: &ServiceAccount) -> UpdateServiceAccount {
    UpdateServiceAccount {
        id: account.id,
        etag: None,
        display_name: None,
        description: None,
        is_disabled: None,
        roles: None,
        scopes: None,
        audiences: None,
    }
}

#[tokio::test]
async fn what_no_update_names_stays_and_an_etag_is_that_of_one_version() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let change = UpdateServiceAccount {
        etag: Some(account.etag()),
        description: Some("at night".into()),
        scopes: Some(vec![scope("refunds")]),
        ..update(&account)
    };
    let changed = change.execute(&world.app).await.expect("changed");
    assert_eq!(changed.display_name, "settlement");
    assert_eq!(changed.description, "at night");
    assert_eq!(changed.grants.scopes, [scope("refunds")]);
    assert_eq!(changed, read(&world, &account).await);
    let stale = UpdateServiceAccount {
        etag: Some(account.etag()),
        ..update(&account)
    };
    assert_eq!(refusal(stale.execute(&world.app).await), Refusal::Etag);
    let (id, etag) = (account.id, Some(account.etag()));
    let stale = DeleteServiceAccount { id, etag };
    assert_eq!(refusal(stale.execute(&world.app).await), Refusal::Etag);
    let etag = Some(changed.etag());
    let delete = DeleteServiceAccount { id, etag };
    delete.execute(&world.app).await.expect("deleted");
    let get = GetServiceAccount { id };
    let gone = get.execute(&world.app).await;
    assert_eq!(refusal(gone), Refusal::ServiceAccount);
    let gone = update(&account).execute(&world.app).await;
    assert_eq!(refusal(gone), Refusal::ServiceAccount);
}

#[tokio::test]
async fn secrets_and_keys_are_few_and_overlap() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let mut secrets = Vec::new();
    for _ in 0..ServiceAccount::MAX_SECRETS {
        secrets.push(secret(&world, &account).await);
    }
    let (known, _) = key(&world, &account).await;
    for _ in 1..ServiceAccount::MAX_KEYS {
        key(&world, &account).await;
    }
    let full = CreateServiceAccountSecret {
        id: account.id,
        expires_at: None,
    };
    let full = full.execute(&world.app).await;
    assert_eq!(refusal(full), Refusal::TooManyServiceAccountCredentials);
    let add = |key: &Key| AddServiceAccountKey {
        id: account.id,
        key: key.jwk(),
        expires_at: None,
    };
    let full = add(&Key::generate()).execute(&world.app).await;
    assert_eq!(refusal(full), Refusal::TooManyServiceAccountCredentials);
    let twice = add(&known).execute(&world.app).await;
    assert!(matches!(twice, Err(Error::Invalid(_))), "{twice:?}");
    for secret in &secrets {
        token(&world, by_secret(&account, secret)).await;
    }
    let over = CreateServiceAccountSecret {
        id: account.id,
        expires_at: Some(now(&world)),
    };
    let over = over.execute(&world.app).await;
    assert!(matches!(over, Err(Error::Invalid(_))), "{over:?}");
}

#[tokio::test]
async fn what_cannot_be_read_proves_nothing_and_can_be_removed() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let got = token(&world, by_secret(&account, &secret)).await;
    world.store.damage_service_account_credentials(account.id);
    let refused = by_secret(&account, &secret).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SignIn);
    let damaged = read(&world, &account).await.credentials.remove(0);
    assert_eq!(damaged.kind, ServiceAccountCredentialKind::Unreadable);
    assert!(verdict(&world, &got).is_ok());
    let remove = RemoveServiceAccountCredential {
        id: account.id,
        credential: damaged.id,
    };
    let left = remove.execute(&world.app).await.expect("removed");
    assert!(left.credentials.is_empty());
    assert_eq!(verdict(&world, &got), Err(NotAccepted::Revoked));
}

#[tokio::test]
async fn accounts_are_listed_by_group() {
    let world = world().await;
    let staff = GroupId::parse("staff").expect("a group");
    let make = CreateGroup {
        id: staff.clone(),
        display_name: String::new(),
        policy: countersign_domain::model::GroupPolicy::default(),
    };
    make.execute(&world.app).await.expect("a group");
    let mut wanted = Vec::new();
    for _ in 0..3 {
        wanted.push(account(&world, ServiceAccountGrants::default()).await.id);
        world.clock.advance(std::time::Duration::from_millis(5));
    }
    let create = CreateServiceAccount {
        group: staff.clone(),
        display_name: String::new(),
        description: String::new(),
        grants: ServiceAccountGrants::default(),
    };
    let elsewhere = create.execute(&world.app).await.expect("an account");
    let list = async |group: Option<GroupId>| {
        let (mut ids, mut after) = (Vec::new(), None::<ServiceAccountPageToken>);
        loop {
            let list = ListServiceAccounts {
                group: group.clone(),
                size: PageSize::parse(2).expect("a size"),
                after,
            };
            let page = list.execute(&world.app).await.expect("a page");
            ids.extend(page.accounts.iter().map(|account| account.id));
            let Some(next) = page.next else { return ids };
            after = ServiceAccountPageToken::parse(&next.encode()).expect("a token");
        }
    };
    assert_eq!(list(Some(GroupId::fallback())).await, wanted);
    assert_eq!(list(Some(staff.clone())).await, [elsewhere.id]);
    wanted.push(elsewhere.id);
    assert_eq!(list(None).await, wanted);

    // A group with a service account in it is not empty.
    let delete = |id| DeleteGroup { id, etag: None };
    let refused = delete(staff.clone()).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::GroupInUse);
    let gone = DeleteServiceAccount {
        id: elsewhere.id,
        etag: None,
    };
    gone.execute(&world.app).await.expect("deleted");
    let deleted = delete(staff.clone()).execute(&world.app).await;
    deleted.expect("an empty group");
    let nowhere = CreateServiceAccount {
        group: staff,
        display_name: String::new(),
        description: String::new(),
        grants: ServiceAccountGrants::default(),
    };
    assert_eq!(refusal(nowhere.execute(&world.app).await), Refusal::Group);
}

#[test]
fn page_tokens_of_other_lists_are_refused() {
    for wrong in ["!", "AA", "Z2dyb3Vw", "czEyMw"] {
        assert!(ServiceAccountPageToken::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(ServiceAccountPageToken::parse(""), Ok(None));
}
