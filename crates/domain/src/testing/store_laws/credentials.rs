//! Passwords and the attempts at them.

use std::sync::Arc;

use super::subject::{StoreSubject, credential, is_conflict, yes_of};
use crate::model::{PasswordCredential, PasswordHash, User};

async fn stored(law: &StoreSubject, user: &User) -> PasswordCredential {
    let account = law.store.account(user.id).await.expect("readable");
    let account = account.expect("the user is there");
    account.credential.expect("the password is there")
}

/// Every field survives, the longest hash too.
pub async fn a_password_is_read_as_written(law: &StoreSubject) {
    for length in [1, 97, 1024] {
        let user = law.user().await;
        let mut password = credential(&user, &"$".repeat(length), law.now);
        password.failures = 7;
        password.updated_at = law.later(3);
        let mut uow = law.begin().await;
        uow.put_credential(&password).await.expect("a password");
        uow.commit().await.expect("committed");
        assert_eq!(stored(law, &user).await, password);
        let mut uow = law.begin().await;
        let locked = uow.lock_credential(user.id).await.expect("readable");
        assert_eq!(locked, Some(password));
    }
    let user = law.user().await;
    let mut uow = law.begin().await;
    let none = uow.lock_credential(user.id).await.expect("readable");
    assert_eq!(none, None);
}

/// There is one password: hash, failures and time are all replaced.
pub async fn a_password_takes_the_place_of_the_earlier(law: &StoreSubject) {
    let user = law.user_with_password(9).await;
    let second = credential(&user, "$argon2id$v=19$second", law.later(60));
    let mut uow = law.begin().await;
    uow.put_credential(&second).await.expect("a password");
    uow.commit().await.expect("committed");
    assert_eq!(stored(law, &user).await, second);
}

/// A password of nobody cannot be made: its user may just have been deleted.
pub async fn a_password_needs_its_user(law: &StoreSubject) {
    let password = credential(&law.new_user(), "hash", law.now);
    let mut uow = law.begin().await;
    assert!(is_conflict(&uow.put_credential(&password).await));
}

/// Each time, and for that user alone; nothing else raises it.
pub async fn setting_a_password_raises_the_credential_version(law: &StoreSubject) {
    let user = law.user().await;
    let bystander = law.user_with_password(0).await;
    let version = async |user: &User| {
        let stored = law.store.user(user.id).await.expect("readable");
        stored.expect("the user is there").credential_version
    };
    let before = version(&bystander).await;
    for times in 1..=3 {
        let password = credential(&user, &format!("hash-{times}"), law.now);
        let mut uow = law.begin().await;
        uow.put_credential(&password).await.expect("a password");
        let locked = uow.lock_user(user.id).await.expect("readable");
        let expected = user.credential_version + times;
        assert_eq!(locked.map(|user| user.credential_version), Some(expected));
        uow.commit().await.expect("committed");
        assert_eq!(version(&user).await, expected);
    }

    let rehashed = PasswordHash::new("stronger".into());
    let mut uow = law.begin().await;
    uow.clear_failures(user.id, Some(&rehashed), law.now)
        .await
        .expect("cleared");
    uow.commit().await.expect("committed");
    law.store.count_attempt(user.id, 10).await.expect("counted");
    assert_eq!(version(&user).await, user.credential_version + 3);

    let mut uow = law.begin().await;
    let password = credential(&user, "never", law.now);
    uow.put_credential(&password).await.expect("a password");
    drop(uow);
    assert_eq!(version(&user).await, user.credential_version + 3);
    assert_eq!(version(&bystander).await, before);
}

/// A good attempt clears the failures; the hash changes only if it is given.
pub async fn clearing_failures_keeps_the_password(law: &StoreSubject) {
    let user = law.user_with_password(5).await;
    let bystander = law.user_with_password(5).await;
    let before = stored(law, &user).await;

    let mut uow = law.begin().await;
    uow.clear_failures(user.id, None, law.later(60))
        .await
        .expect("cleared");
    uow.commit().await.expect("committed");
    let cleared = PasswordCredential {
        failures: 0,
        ..before
    };
    assert_eq!(stored(law, &user).await, cleared);

    let rehashed = PasswordHash::new("$argon2id$v=19$stronger".into());
    let mut uow = law.begin().await;
    uow.clear_failures(user.id, Some(&rehashed), law.later(90))
        .await
        .expect("cleared");
    uow.commit().await.expect("committed");
    let rewritten = PasswordCredential {
        hash: rehashed,
        updated_at: law.later(90),
        ..cleared
    };
    assert_eq!(stored(law, &user).await, rewritten);
    assert_eq!(stored(law, &bystander).await.failures, 5);
}

/// The cap holds in parallel, and each attempt counted is in the count.
pub async fn of_64_attempts_at_once_10_are_counted(law: &StoreSubject) {
    let user = law.user_with_password(0).await;
    let counted = yes_of(64, || {
        let store = Arc::clone(&law.store);
        async move { store.count_attempt(user.id, 10).await }
    })
    .await;
    assert_eq!(counted, 10);
    assert_eq!(stored(law, &user).await.failures, 10);
    let under_a_higher_cap = law.store.count_attempt(user.id, 11).await;
    assert!(under_a_higher_cap.expect("an answer"));
    let under_none = law.store.count_attempt(user.id, 0).await;
    assert!(!under_none.expect("an answer"));
}

/// There is nothing to compare with.
pub async fn an_attempt_without_a_password_is_not_counted(law: &StoreSubject) {
    for user in [law.user().await, law.new_user()] {
        let counted = law.store.count_attempt(user.id, 10).await;
        assert!(!counted.expect("an answer"));
    }
}

/// Row by row, also when many are the first of one at once; users' attempts are
/// none of them.
pub async fn attempts_of_nobody_are_counted_for_no_user(law: &StoreSubject) {
    let user = law.user_with_password(3).await;
    let [row] = law.bytes();
    let counted = yes_of(16, || {
        let store = Arc::clone(&law.store);
        async move { store.count_attempt_of_nobody(row).await.map(|()| true) }
    })
    .await;
    assert_eq!(counted, 16);
    for row in [0, row, 255] {
        let counted = law.store.count_attempt_of_nobody(row).await;
        counted.expect("counted");
    }
    assert_eq!(stored(law, &user).await.failures, 3);
}
