//! Units of work: all or nothing, one after the other where they touch the same
//! user, and no trace of those that were given up.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::Algorithm;
use tokio::task::JoinHandle;

use super::subject::{StoreSubject, credential, is_taken, username};
use crate::model::{
    Caller, CallerName, Identifier, KeyState, PasswordHash, Role, SealedSigningKey, Timestamp, User,
};
use crate::ports::{Store, StoreError, UnitOfWork};
use crate::testing;

/// Long enough for a unit of work that does not wait.
const A_WHILE: Duration = Duration::from_millis(150);

/// Every kind of write is undone.
pub async fn a_dropped_unit_of_work_leaves_no_trace(law: &StoreSubject) {
    let user = law.user_with_password(3).await;
    let session = law.new_session(&user);
    let other_session = law.new_session(&user);
    law.insert_sessions(&[session.clone(), other_session.clone()])
        .await;
    let doomed = law.user_with_password(1).await;
    let (key, caller) = new_key_and_caller(law);
    let mut uow = law.begin().await;
    uow.insert_signing_key(&key).await.expect("a new key");
    uow.insert_caller(&caller).await.expect("a new caller");
    uow.commit().await.expect("committed");
    let before = law.store.account(user.id).await.expect("readable");

    let mut uow = law.begin().await;
    let new_user = law.new_user();
    let new_name = username("newcomer");
    let new_session = law.new_session(&new_user);
    let (new_key, new_caller) = new_key_and_caller(law);
    let written: Result<(), StoreError> = async {
        uow.insert_user(&new_user).await?;
        uow.insert_identifier(&new_user, &new_name).await?;
        uow.put_credential(&credential(&new_user, "new", law.now))
            .await?;
        uow.put_credential(&credential(&user, "other", law.now))
            .await?;
        uow.insert_session(&new_session).await?;
        uow.delete_user(doomed.id).await?;
        let rehashed = PasswordHash::new("another".into());
        uow.clear_failures(user.id, Some(&rehashed), law.later(9))
            .await?;
        assert!(uow.revoke_session(session.id, law.now).await?.is_some());
        let revoked = uow.revoke_user_sessions(user.id, None, law.now).await?;
        let ids: Vec<_> = revoked.iter().map(|entry| entry.session_id).collect();
        assert_eq!(ids, [other_session.id]);
        uow.insert_signing_key(&new_key).await?;
        assert!(uow.delete_signing_key(&key.kid).await?);
        uow.insert_caller(&new_caller).await?;
        assert!(uow.delete_caller(&caller.name).await?);
        Ok(())
    }
    .await;
    written.expect("written");
    drop(uow);

    let nobody = law.store.account(new_user.id).await;
    assert_eq!(nobody.expect("readable"), None);
    let by_name = law.store.account_by_identifier(&law.group, &new_name).await;
    assert_eq!(by_name.expect("readable"), None);
    let stored = law.store.session(new_session.id).await;
    assert_eq!(stored.expect("readable"), None);
    let stored = law.store.account(doomed.id).await.expect("readable");
    assert!(stored.is_some_and(|account| account.credential.is_some()));
    assert_eq!(law.store.account(user.id).await.expect("readable"), before);
    let ids = [session.id, other_session.id];
    for session in [session, other_session] {
        assert_eq!(law.stored_session(session.id).await, session);
    }
    let beginning = Timestamp::from_millis(0);
    let feed = testing::whole_feed(&*law.store, beginning, beginning).await;
    let feed = feed.expect("readable");
    assert!(feed.iter().all(|entry| !ids.contains(&entry.session_id)));
    let keys = law.store.signing_keys().await.expect("readable");
    assert!(keys.contains(&key) && !keys.contains(&new_key));
    let callers = law.store.callers().await.expect("readable").readable;
    assert!(callers.contains(&caller) && !callers.contains(&new_caller));
}

fn new_key_and_caller(law: &StoreSubject) -> (SealedSigningKey, Caller) {
    let kid = format!("kid-{:016x}", u64::from_be_bytes(law.bytes()));
    let caller = Caller {
        name: CallerName::parse(&kid).expect("a name"),
        roles: vec![Role::Service],
        keys: vec![law.new_caller_key()],
        sans: vec![],
        created_at: law.now,
    };
    let key = SealedSigningKey {
        kid,
        algorithm: Algorithm::EdDsa,
        state: KeyState::Retired,
        sealed: vec![1],
        created_at: law.now,
        expires_at: Some(law.later(86_400 * 3650)),
    };
    (key, caller)
}

/// What was written is there for the rest of the unit of work.
pub async fn a_unit_of_work_sees_its_own_changes(law: &StoreSubject) {
    let user = law.new_user();
    let name = username("mina");
    let password = credential(&user, "hash", law.now);
    let mut uow = law.begin().await;
    let nobody = uow.lock_user_by_identifier(&law.group, &name).await;
    assert_eq!(nobody.expect("readable"), None);
    assert_eq!(uow.lock_user(user.id).await.expect("readable"), None);
    uow.insert_user(&user).await.expect("a new user");
    uow.insert_identifier(&user, &name)
        .await
        .expect("a free name");
    uow.put_credential(&password).await.expect("a password");
    let locked = uow.lock_user_by_identifier(&law.group, &name).await;
    let locked = locked.expect("readable").expect("the user is there");
    assert_eq!(locked.id, user.id);
    assert_eq!(locked.credential_version, user.credential_version + 1);
    let credential = uow.lock_credential(user.id).await;
    assert_eq!(credential.expect("readable"), Some(password));
    let by_id = uow.lock_user(user.id).await.expect("readable");
    assert_eq!(by_id, Some(locked));
}

/// The second sees what the first did.
pub async fn a_locked_user_makes_others_wait(law: &StoreSubject) {
    let user = law.user().await;
    let mut first = law.begin().await;
    let locked = first.lock_user(user.id).await.expect("readable");
    assert_eq!(locked, Some(user.clone()));

    let store = Arc::clone(&law.store);
    let second = tokio::spawn(async move {
        let mut second = store.begin().await?;
        second.lock_user(user.id).await
    });
    assert_waits_for(first, law, &user, second).await;
}

/// Likewise if one looks for the identifier.
pub async fn a_user_locked_by_identifier_makes_others_wait(law: &StoreSubject) {
    let user = law.new_user();
    let name = username("mina");
    law.insert(&user, &[&name]).await;
    let mut first = law.begin().await;
    let locked = first.lock_user_by_identifier(&law.group, &name).await;
    assert_eq!(locked.expect("readable"), Some(user.clone()));

    let store = Arc::clone(&law.store);
    let group = law.group.clone();
    let second = tokio::spawn(async move {
        let mut second = store.begin().await?;
        second.lock_user_by_identifier(&group, &name).await
    });
    assert_waits_for(first, law, &user, second).await;
}

/// The second waits until the first, which sets a password, is committed.
async fn assert_waits_for(
    mut first: Box<dyn UnitOfWork>,
    law: &StoreSubject,
    user: &User,
    second: JoinHandle<Result<Option<User>, StoreError>>,
) {
    tokio::time::sleep(A_WHILE).await;
    assert!(!second.is_finished(), "it did not wait");
    let password = credential(user, "hash", law.now);
    first.put_credential(&password).await.expect("a password");
    first.commit().await.expect("committed");
    let seen = second.await.expect("no panic").expect("readable");
    let version = seen.map(|user| user.credential_version);
    assert_eq!(version, Some(user.credential_version + 1));
}

/// An attempt is counted on top of what the holder of the lock leaves.
pub async fn a_locked_credential_makes_attempts_wait(law: &StoreSubject) {
    let user = law.user_with_password(5).await;
    let mut uow = law.begin().await;
    let locked = uow.lock_credential(user.id).await.expect("readable");
    assert_eq!(locked.map(|credential| credential.failures), Some(5));
    let store = Arc::clone(&law.store);
    let attempt = tokio::spawn(async move { store.count_attempt(user.id, 10).await });
    tokio::time::sleep(A_WHILE).await;
    assert!(!attempt.is_finished(), "it did not wait");
    uow.clear_failures(user.id, None, law.now)
        .await
        .expect("cleared");
    uow.commit().await.expect("committed");
    let counted = attempt.await.expect("no panic").expect("an answer");
    assert!(counted);
    let account = law.store.account(user.id).await.expect("readable");
    let credential = account.and_then(|account| account.credential);
    assert_eq!(credential.map(|credential| credential.failures), Some(1));
}

/// A refused write spoils its own unit of work and nothing else.
pub async fn after_a_conflict_the_store_goes_on(law: &StoreSubject) {
    let user = law.new_user();
    let name = username("mina");
    law.insert(&user, &[&name]).await;
    for _ in 0..20 {
        let other = law.new_user();
        let mut uow = law.begin().await;
        uow.insert_user(&other).await.expect("a new user");
        let taken = uow.insert_identifier(&other, &name).await;
        assert!(is_taken(&taken));
        drop(uow);
        let stored = law.store.user(other.id).await.expect("readable");
        assert_eq!(stored, None);
    }
    law.user().await;
}

/// A caller may go away at any moment. What it wrote is there as a whole or not
/// at all, and what others write afterwards is kept.
pub async fn abandoned_units_of_work_leave_nothing_open(law: &StoreSubject) {
    let mut written = Vec::new();
    for round in 0..60_u64 {
        let user = law.new_user();
        let name = username(&format!("round-{round}"));
        written.push((user.clone(), name.clone()));
        let store = Arc::clone(&law.store);
        let work = tokio::spawn(async move { write(&*store, &user, &name).await });
        tokio::time::sleep(Duration::from_micros(round * 50)).await;
        work.abort();
        // It may have been finished already; either is well.
        let _ = work.await;
    }

    let user = law.user_with_password(0).await;
    for failures in 1..=8 {
        let counted = law.store.count_attempt(user.id, 100).await;
        assert!(counted.expect("an answer"));
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = Arc::clone(&law.store);
            readers.spawn(async move { store.account(user.id).await });
        }
        for account in readers.join_all().await {
            let credential = account.expect("readable").and_then(|a| a.credential);
            assert_eq!(credential.map(|c| c.failures), Some(failures));
        }
    }
    for (user, name) in written {
        let account = law.store.account(user.id).await.expect("readable");
        let by_name = law.store.account_by_identifier(&law.group, &name).await;
        assert_eq!(by_name.expect("readable"), account, "half of it is there");
    }
}

async fn write(store: &dyn Store, user: &User, name: &Identifier) -> Result<(), StoreError> {
    let mut uow = store.begin().await?;
    uow.insert_user(user).await?;
    uow.insert_identifier(user, name).await?;
    uow.commit().await
}
