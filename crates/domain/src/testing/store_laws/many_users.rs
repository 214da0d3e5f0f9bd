//! Many users at once.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, credential, email, is_taken, phone, username};
use super::users::full_user;
use crate::model::{
    ExternalId, HeldDigest, Identifier, IdentifierUndo, PageSize, Tombstone, TombstoneDigest,
    UndoDigest, User, UserQuery,
};
use crate::ports::{NewAccount, StoreError};

/// As many as an import writes at once, with more identifiers than most have.
const MANY: usize = 500;

fn external(text: &str) -> ExternalId {
    ExternalId::parse(text).expect("an id")
}

fn mail(text: &str) -> Identifier {
    Identifier::Email(email(text))
}

/// An account with an id and an address of its own.
fn account(law: &StoreSubject, name: &str) -> NewAccount {
    let user = User {
        credential_version: 1,
        external_id: Some(external(name)),
        ..law.new_user()
    };
    NewAccount {
        identifiers: vec![mail(&format!("{name}@example.com"))],
        credential: Some(credential(&user, &format!("$hash${name}"), law.now)),
        user,
    }
}

async fn insert(law: &StoreSubject, accounts: &[NewAccount]) -> Result<(), StoreError> {
    let mut uow = law.begin().await;
    uow.insert_accounts(accounts).await?;
    uow.commit().await
}

/// Whether an account is there as it was written.
async fn is_there(law: &StoreSubject, account: &NewAccount) -> bool {
    let stored = law.store.account(account.user.id).await.expect("readable");
    let Some(stored) = stored else {
        return false;
    };
    assert_eq!(stored.user, account.user);
    assert_eq!(stored.credential, account.credential);
    let listed = law.store.listed_user(account.user.id).await;
    let listed = listed.expect("readable").expect("it is there");
    let mut expected = account.identifiers.clone();
    expected.sort();
    let mut identifiers = listed.identifiers;
    identifiers.sort();
    assert_eq!(identifiers, expected);
    true
}

/// Every field survives, of accounts that have much, little and nothing.
pub async fn accounts_at_once_are_read_as_written(law: &StoreSubject) {
    let rich = User {
        credential_version: 1,
        ..full_user(law)
    };
    let accounts = [
        account(law, "first"),
        NewAccount {
            credential: Some(credential(&rich, "$hash$rich", law.now)),
            identifiers: vec![
                mail("rich@example.com"),
                Identifier::Phone(phone("+821012345678")),
                username("rich"),
            ],
            user: rich.clone(),
        },
        NewAccount {
            user: law.new_user(),
            identifiers: Vec::new(),
            credential: None,
        },
    ];
    insert(law, &[]).await.expect("nothing");
    insert(law, &accounts).await.expect("inserted");
    for account in &accounts {
        assert!(is_there(law, account).await);
    }
    // Lists by role know them.
    let query = UserQuery {
        group: Some(law.group.clone()),
        role: Some(rich.roles[0].clone()),
        ..UserQuery::default()
    };
    let size = PageSize::parse(10).expect("a size");
    let page = law.store.list_users(&query, size, None).await;
    let found: Vec<_> = page.expect("readable").users;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].user, rich);
}

/// One whose id, external id or identifier is taken keeps all others out.
pub async fn of_accounts_at_once_all_are_inserted_or_none(law: &StoreSubject) {
    let there = account(law, "there");
    insert(law, std::slice::from_ref(&there))
        .await
        .expect("inserted");
    let same_id = NewAccount {
        user: User {
            id: there.user.id,
            ..account(law, "same-id").user
        },
        identifiers: Vec::new(),
        credential: None,
    };
    let same_external_id = NewAccount {
        identifiers: vec![mail("other@example.com")],
        ..account(law, "there")
    };
    let same_address = NewAccount {
        identifiers: there.identifiers.clone(),
        ..account(law, "same-address")
    };
    for (number, guilty) in [same_id, same_external_id, same_address]
        .into_iter()
        .enumerate()
    {
        let before = account(law, &format!("before-{number}"));
        let after = account(law, &format!("after-{number}"));
        let all = [before, guilty, after];
        assert!(is_taken(&insert(law, &all).await), "{number}");
        assert!(!is_there(law, &all[0]).await, "{number}");
        assert!(!is_there(law, &all[2]).await, "{number}");
    }
    assert!(is_there(law, &there).await);
}

/// Hundreds go in at once, and are found at once.
pub async fn hundreds_of_accounts_are_inserted_at_once(law: &StoreSubject) {
    let accounts = (0..MANY).map(|number| {
        let mut account = account(law, &format!("many-{number}"));
        account
            .identifiers
            .push(username(&format!("many-{number}")));
        account
            .identifiers
            .extend((0..9).map(|other| mail(&format!("many-{number}-{other}@example.com"))));
        account
    });
    let accounts: Vec<_> = accounts.collect();
    insert(law, &accounts).await.expect("inserted");
    for account in accounts.iter().step_by(97) {
        assert!(is_there(law, account).await);
    }
    let ids = accounts
        .iter()
        .filter_map(|one| one.user.external_id.as_ref());
    let ids: Vec<_> = ids.collect();
    let known = law.store.users_by_external_ids(&law.group, &ids).await;
    let known = known.expect("readable");
    assert_eq!(known.len(), MANY);
    for account in &accounts {
        let id = account.user.external_id.as_ref().expect("an id");
        assert_eq!(known.get(id), Some(&account.user.id));
    }
    let identifiers = accounts.iter().flat_map(|one| &one.identifiers);
    let identifiers: Vec<_> = identifiers.collect();
    let held = law.store.held_identifiers(&law.group, &identifiers).await;
    assert_eq!(held.expect("readable").len(), 11 * MANY);
}

/// Ids and identifiers are told that are there, in this group, byte for byte.
pub async fn of_many_those_are_told_that_are_there(law: &StoreSubject) {
    let known = [account(law, "Id"), account(law, "other")];
    insert(law, &known).await.expect("inserted");
    let (upper, lower, absent) = (external("Id"), external("id"), external("absent"));
    let ids = [&upper, &lower, &absent];
    let found = law.store.users_by_external_ids(&law.group, &ids).await;
    let found = found.expect("readable");
    assert_eq!(found.len(), 1);
    assert_eq!(found.get(&upper), Some(&known[0].user.id));
    let other = law.other_group();
    let elsewhere = law.store.users_by_external_ids(&other, &ids);
    assert!(elsewhere.await.expect("readable").is_empty());
    let nobody = law.store.users_by_external_ids(&law.group, &[]).await;
    assert!(nobody.expect("readable").is_empty());

    let (held, free) = (mail("other@example.com"), mail("free@example.com"));
    let name = username("other");
    let asked = [&held, &free, &name];
    let found = law.store.held_identifiers(&law.group, &asked).await;
    let found = found.expect("readable");
    assert!(found.len() == 1 && found.contains(&held), "{found:?}");
    let elsewhere = law.store.held_identifiers(&other, &asked);
    assert!(elsewhere.await.expect("readable").is_empty());
}

/// What is kept of addresses is told until its time, of many at once.
pub async fn what_is_kept_of_many_addresses_is_told(law: &StoreSubject) {
    let user = law.user().await;
    let undo = IdentifierUndo {
        digest: UndoDigest::from_bytes(law.bytes()),
        user_id: user.id,
        held: Some(HeldDigest::from_bytes(law.bytes())),
        sealed: vec![1],
        created_at: law.now,
        expires_at: law.later(10),
    };
    let tombstone = Tombstone {
        digest: TombstoneDigest::from_bytes(law.bytes()),
        withdrawn_at: law.now,
        expires_at: law.later(10),
    };
    let mut uow = law.begin().await;
    uow.insert_identifier_undo(&undo).await.expect("a change");
    uow.put_tombstone(&tombstone).await.expect("written");
    uow.commit().await.expect("committed");
    let held = undo.held.expect("it holds an address");
    let mut others: Vec<_> = (0..MANY)
        .map(|_| HeldDigest::from_bytes(law.bytes()))
        .collect();
    others.push(held);
    let mut stones: Vec<_> = (0..MANY)
        .map(|_| TombstoneDigest::from_bytes(law.bytes()))
        .collect();
    stones.push(tombstone.digest);
    for (now, is_kept) in [(law.later(9), true), (law.later(10), false)] {
        let mut uow = law.begin().await;
        let found = uow.held_addresses(&others, now).await.expect("readable");
        let expected = if is_kept { vec![held] } else { Vec::new() };
        assert!(found == expected);
        let found = uow.tombstones(&stones, now).await.expect("readable");
        let expected = if is_kept { vec![tombstone] } else { Vec::new() };
        assert_eq!(found, expected);
        assert!(
            uow.held_addresses(&[], now)
                .await
                .expect("readable")
                .is_empty()
        );
        assert!(uow.tombstones(&[], now).await.expect("readable").is_empty());
    }
}

/// Of several who insert the same accounts at once, one does, and the others are told
/// that somebody was faster.
pub async fn of_8_who_insert_the_same_accounts_at_once_one_does(law: &StoreSubject) {
    let sets: Vec<Vec<NewAccount>> = (0..8)
        .map(|_| (0..20).map(|number| account(law, &format!("raced-{number:02}"))))
        .map(Iterator::collect)
        .collect();
    let mut tasks = tokio::task::JoinSet::new();
    for set in sets {
        let store = Arc::clone(&law.store);
        tasks.spawn(async move {
            let mut uow = store.begin().await?;
            uow.insert_accounts(&set).await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
            uow.commit().await
        });
    }
    let mut inserted = 0;
    for outcome in tasks.join_all().await {
        match outcome {
            Ok(()) => inserted += 1,
            Err(StoreError::Taken | StoreError::Conflict) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(inserted, 1);
}
