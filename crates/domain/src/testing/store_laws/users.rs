//! Users as a whole.

use super::subject::{StoreSubject, credential, is_taken, username};
use crate::model::User;
use crate::ports::Account;

/// The store answers.
pub async fn a_working_store_answers_a_ping(law: &StoreSubject) {
    law.store.ping().await.expect("an answer");
}

/// Every field of a user survives.
pub async fn a_user_is_read_as_written(law: &StoreSubject) {
    let many_passwords_later = User {
        credential_version: i64::MAX,
        created_at: law.later(7),
        ..law.new_user()
    };
    for user in [law.new_user(), many_passwords_later] {
        assert_eq!(law.store.user(user.id).await.expect("readable"), None);
        law.insert(&user, &[]).await;
        let stored = law.store.user(user.id).await.expect("readable");
        assert_eq!(stored, Some(user));
    }
}

/// No user is written over another.
pub async fn a_user_id_is_taken_once(law: &StoreSubject) {
    let user = law.user().await;
    let other = User {
        id: user.id,
        group: law.other_group(),
        ..law.new_user()
    };
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_user(&other).await));
    drop(uow);
    let stored = law.store.user(user.id).await.expect("readable");
    assert_eq!(stored, Some(user));
}

/// A user is found by id and by identifier, with and without a password.
pub async fn an_account_without_a_password_is_found(law: &StoreSubject) {
    let user = law.new_user();
    let name = username("mina.kim");
    law.insert(&user, &[&name]).await;
    let find = async || {
        let by_id = law.store.account(user.id).await.expect("readable");
        let by_name = law.store.account_by_identifier(&law.group, &name).await;
        assert_eq!(by_id, by_name.expect("readable"));
        by_id
    };
    let without = Account {
        user: user.clone(),
        credential: None,
    };
    assert_eq!(find().await, Some(without));

    let password = credential(&user, "$argon2id$hash", law.now);
    let mut uow = law.begin().await;
    uow.put_credential(&password).await.expect("a password");
    uow.commit().await.expect("committed");
    let with = Account {
        user: User {
            credential_version: user.credential_version + 1,
            ..user.clone()
        },
        credential: Some(password),
    };
    assert_eq!(find().await, Some(with));

    let nobody = law.new_user().id;
    assert_eq!(law.store.account(nobody).await.expect("readable"), None);
    let stranger = username("nobody");
    let unknown = law.store.account_by_identifier(&law.group, &stranger).await;
    assert_eq!(unknown.expect("readable"), None);
}

/// Identifiers, password and sessions go with their user, nobody else's do.
pub async fn deleting_a_user_deletes_all_that_is_its_own(law: &StoreSubject) {
    let mut made = Vec::new();
    for name in ["mina", "juno"] {
        let user = law.new_user();
        let name = username(name);
        law.insert(&user, &[&name]).await;
        let session = law.new_session(&user);
        law.insert_sessions(std::slice::from_ref(&session)).await;
        let mut uow = law.begin().await;
        let password = credential(&user, "hash", law.now);
        uow.put_credential(&password).await.expect("a password");
        uow.commit().await.expect("committed");
        made.push((user, name, session));
    }
    let [(mina, name, session), (juno, other_name, other_session)] = &made[..] else {
        unreachable!("two users were made");
    };

    let mut uow = law.begin().await;
    uow.delete_user(mina.id).await.expect("deleted");
    uow.commit().await.expect("committed");

    assert_eq!(law.store.account(mina.id).await.expect("readable"), None);
    let by_name = law.store.account_by_identifier(&law.group, name).await;
    assert_eq!(by_name.expect("readable"), None);
    assert_eq!(law.store.session(session.id).await.expect("readable"), None);
    let attempt = law.store.count_attempt(mina.id, 10).await;
    assert!(!attempt.expect("an answer"), "the password is still there");
    let by_name = law
        .store
        .account_by_identifier(&law.group, other_name)
        .await;
    let by_name = by_name.expect("readable").expect("the other user stays");
    assert_eq!(by_name.user.id, juno.id);
    assert!(by_name.credential.is_some());
    assert_eq!(law.stored_session(other_session.id).await, *other_session);

    let heir = law.new_user();
    law.insert(&heir, &[name]).await;
    let mut uow = law.begin().await;
    uow.delete_user(mina.id)
        .await
        .expect("deleting nobody is fine");
}
