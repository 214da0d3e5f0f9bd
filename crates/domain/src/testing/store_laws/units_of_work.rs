//! Units of work: all or nothing, one after the other where they touch the same
//! user, and no trace of those that were given up.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::Algorithm;

use super::{StoreSubject, credential, is_taken, username};
use crate::model::{
    Caller, CallerName, Identifier, KeyState, PasswordHash, Role, SealedSigningKey, User, UserId,
    UserState,
};
use crate::ports::{Store, StoreError, UnitOfWork};

/// Long enough for a unit of work that does not wait.
const A_WHILE: Duration = Duration::from_millis(150);

/// Every kind of write is undone.
pub async fn a_dropped_unit_of_work_leaves_no_trace(law: &StoreSubject) {
    let pending = law.new_pending_user();
    let name = username("pending");
    law.insert(&pending, &[(&name, None)]).await;
    let user = law.user_with_password(3).await;
    let session = law.new_session(&user);
    let other_session = law.new_session(&user);
    law.insert_sessions(&[session.clone(), other_session.clone()])
        .await;
    let doomed = law.user_with_password(1).await;
    let kid = format!("kid-{:016x}", u64::from_be_bytes(law.bytes()));
    let key = SealedSigningKey {
        kid: kid.clone(),
        algorithm: Algorithm::EdDsa,
        state: KeyState::Retired,
        sealed: vec![1],
        created_at: law.now,
        expires_at: Some(law.later(60)),
    };
    let caller = Caller {
        name: CallerName::parse(&kid).expect("a name"),
        roles: vec![Role::Service],
        key_hash: law.bytes(),
        created_at: law.now,
    };
    let mut uow = law.begin().await;
    uow.insert_signing_key(&key).await.expect("a new key");
    uow.insert_caller(&caller).await.expect("a new caller");
    uow.commit().await.expect("committed");
    let before = law.store.account(user.id).await.expect("readable");

    let mut uow = law.begin().await;
    let new_user = law.new_user();
    let new_name = username("newcomer");
    let new_session = law.new_session(&new_user);
    let new_key = SealedSigningKey {
        kid: format!("{kid}-new"),
        ..key.clone()
    };
    let new_caller = Caller {
        name: CallerName::parse(&format!("{kid}-new")).expect("a name"),
        ..caller.clone()
    };
    let needed_for = Duration::from_secs(60);
    let written: Result<(), StoreError> = async {
        uow.insert_user(&new_user).await?;
        uow.insert_identifier(&new_user, &new_name, Some(law.now))
            .await?;
        uow.put_credential(&credential(&new_user, "new", law.now))
            .await?;
        uow.insert_session(&new_session).await?;
        uow.activate_user(pending.id, law.now).await?;
        uow.delete_user(doomed.id).await?;
        let rehashed = PasswordHash::new("other".into());
        uow.clear_failures(user.id, Some(&rehashed), law.later(9))
            .await?;
        assert!(uow.revoke_session(session.id, law.now, needed_for).await?);
        let ids = uow.revoke_user_sessions(user.id, None, law.now, needed_for);
        assert_eq!(ids.await?, [other_session.id]);
        uow.insert_signing_key(&new_key).await?;
        assert!(uow.delete_signing_key(&key.kid).await?);
        uow.insert_caller(&new_caller).await?;
        assert!(uow.delete_caller(&caller.name).await?);
        Ok(())
    }
    .await;
    written.expect("written");
    drop(uow);

    assert_eq!(
        law.store.account(new_user.id).await.expect("readable"),
        None
    );
    let by_name = law.store.account_by_identifier(&law.group, &new_name).await;
    assert_eq!(by_name.expect("readable"), None);
    let stored = law.store.session(new_session.id).await;
    assert_eq!(stored.expect("readable"), None);
    let stored = law.store.user(pending.id).await;
    assert_eq!(stored.expect("readable"), Some(pending));
    let stored = law.store.account(doomed.id).await.expect("readable");
    assert!(stored.is_some_and(|account| account.credential.is_some()));
    assert_eq!(law.store.account(user.id).await.expect("readable"), before);
    for session in [session, other_session] {
        assert_eq!(law.stored_session(session.id).await, session);
    }
    let feed = law
        .store
        .revocations(law.now, law.now)
        .await
        .expect("readable");
    assert!(feed.iter().all(|entry| entry.session_id != new_session.id));
    let keys = law.store.signing_keys().await.expect("readable");
    assert!(keys.contains(&key) && !keys.contains(&new_key));
    let callers = law.store.callers().await.expect("readable");
    assert!(callers.contains(&caller) && !callers.contains(&new_caller));
}

/// What was written is there for the rest of the unit of work.
pub async fn a_unit_of_work_sees_its_own_changes(law: &StoreSubject) {
    let user = law.new_pending_user();
    let name = username("mina");
    let password = credential(&user, "hash", law.now);
    let mut uow = law.begin().await;
    let nobody = uow.lock_user_by_identifier(&law.group, &name).await;
    assert_eq!(nobody.expect("readable"), None);
    assert_eq!(uow.lock_user(user.id).await.expect("readable"), None);
    uow.insert_user(&user).await.expect("a new user");
    uow.insert_identifier(&user, &name, None)
        .await
        .expect("a free name");
    uow.put_credential(&password).await.expect("a password");
    let locked = uow.lock_user_by_identifier(&law.group, &name).await;
    assert_eq!(locked.expect("readable"), Some(user.clone()));
    let locked = uow.lock_credential(user.id).await;
    assert_eq!(locked.expect("readable"), Some(password));
    uow.activate_user(user.id, law.now)
        .await
        .expect("activated");
    let locked = uow.lock_user(user.id).await.expect("readable");
    assert!(locked.is_some_and(|user| user.state == UserState::Active));
}

/// The second sees what the first did.
pub async fn a_locked_user_makes_others_wait(law: &StoreSubject) {
    let user = law.new_pending_user();
    law.insert(&user, &[]).await;
    let mut first = law.begin().await;
    let locked = first.lock_user(user.id).await.expect("readable");
    assert_eq!(locked, Some(user.clone()));

    let store = Arc::clone(&law.store);
    let second = tokio::spawn(async move {
        let mut second = store.begin().await?;
        second.lock_user(user.id).await
    });
    tokio::time::sleep(A_WHILE).await;
    assert!(!second.is_finished(), "it did not wait");
    activate_and_commit(first, law, user.id).await;
    let seen = second.await.expect("no panic").expect("readable");
    assert_eq!(seen.map(|user| user.state), Some(UserState::Active));
}

/// Likewise if one looks for the identifier.
pub async fn a_user_locked_by_identifier_makes_others_wait(law: &StoreSubject) {
    let user = law.new_pending_user();
    let name = username("mina");
    law.insert(&user, &[(&name, None)]).await;
    let mut first = law.begin().await;
    let locked = first.lock_user_by_identifier(&law.group, &name).await;
    assert_eq!(locked.expect("readable"), Some(user.clone()));

    let store = Arc::clone(&law.store);
    let group = law.group.clone();
    let second = tokio::spawn(async move {
        let mut second = store.begin().await?;
        second.lock_user_by_identifier(&group, &name).await
    });
    tokio::time::sleep(A_WHILE).await;
    assert!(!second.is_finished(), "it did not wait");
    activate_and_commit(first, law, user.id).await;
    let seen = second.await.expect("no panic").expect("readable");
    assert_eq!(seen.map(|user| user.state), Some(UserState::Active));
}

async fn activate_and_commit(mut uow: Box<dyn UnitOfWork>, law: &StoreSubject, user: UserId) {
    uow.activate_user(user, law.now).await.expect("activated");
    uow.commit().await.expect("committed");
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
    law.insert(&user, &[(&name, None)]).await;
    for _ in 0..20 {
        let other = law.new_user();
        let mut uow = law.begin().await;
        uow.insert_user(&other).await.expect("a new user");
        let taken = uow.insert_identifier(&other, &name, None).await;
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
    uow.insert_identifier(user, name, None).await?;
    uow.commit().await
}
