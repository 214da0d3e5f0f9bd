//! Users as a whole.

use super::{StoreSubject, credential, email, is_taken, phone, username};
use crate::model::{Address, Identifier, UserState};
use crate::ports::Account;

/// The store answers.
pub async fn a_working_store_answers_a_ping(law: &StoreSubject) {
    law.store.ping().await.expect("an answer");
}

/// Every field of a user survives.
pub async fn a_user_is_read_as_written(law: &StoreSubject) {
    for user in [law.new_user(), law.new_pending_user()] {
        assert_eq!(law.store.user(user.id).await.expect("readable"), None);
        law.insert(&user, &[]).await;
        let stored = law.store.user(user.id).await.expect("readable");
        assert_eq!(stored, Some(user));
    }
}

/// No user is written over another.
pub async fn a_user_id_is_taken_once(law: &StoreSubject) {
    let user = law.user().await;
    let mut other = law.new_pending_user();
    other.id = user.id;
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
    law.insert(&user, &[(&name, None)]).await;
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
        user: user.clone(),
        credential: Some(password),
    };
    assert_eq!(find().await, Some(with));

    let nobody = law.new_user().id;
    assert_eq!(law.store.account(nobody).await.expect("readable"), None);
    let stranger = username("nobody");
    let unknown = law.store.account_by_identifier(&law.group, &stranger).await;
    assert_eq!(unknown.expect("readable"), None);
}

/// A pending user becomes active together with its addresses.
pub async fn activating_verifies_the_addresses_of_a_pending_user(law: &StoreSubject) {
    let user = law.new_pending_user();
    let mail = Address::Email(email("mina@example.com"));
    let number = Address::Phone(phone("+821012345678"));
    law.insert(
        &user,
        &[
            (&mail.clone().into(), None),
            (&number.clone().into(), None),
            (&username("mina"), None),
        ],
    )
    .await;

    let mut uow = law.begin().await;
    uow.activate_user(user.id, law.later(60))
        .await
        .expect("activated");
    uow.commit().await.expect("committed");

    let stored = law.store.user(user.id).await.expect("readable");
    let stored = stored.expect("the user is there");
    assert_eq!(stored.state, UserState::Active);
    assert_eq!(stored.created_at, user.created_at);
    let mut addresses = law
        .store
        .verified_addresses(user.id)
        .await
        .expect("readable");
    addresses.sort();
    assert_eq!(addresses, [mail.clone(), number.clone()]);
    for address in [&mail, &number] {
        let holder = law.store.user_by_verified_address(&law.group, address);
        assert_eq!(holder.await.expect("readable"), Some(stored.clone()));
    }
}

/// Neither does an active user get addresses verified, nor anybody else.
pub async fn activating_leaves_other_users_alone(law: &StoreSubject) {
    let active = law.new_user();
    let pending = law.new_pending_user();
    let address: Identifier = Address::Email(email("active@example.com")).into();
    law.insert(&active, &[(&address, None)]).await;
    let address: Identifier = Address::Email(email("pending@example.com")).into();
    law.insert(&pending, &[(&address, None)]).await;

    let mut uow = law.begin().await;
    uow.activate_user(active.id, law.now)
        .await
        .expect("nothing to do");
    uow.activate_user(law.new_user().id, law.now)
        .await
        .expect("nobody");
    uow.commit().await.expect("committed");

    for user in [active, pending] {
        let addresses = law
            .store
            .verified_addresses(user.id)
            .await
            .expect("readable");
        assert_eq!(addresses, []);
        let stored = law.store.user(user.id).await.expect("readable");
        assert_eq!(stored, Some(user));
    }
}

/// Identifiers, password and sessions go with their user, nobody else's do.
pub async fn deleting_a_user_deletes_all_that_is_its_own(law: &StoreSubject) {
    let mut made = Vec::new();
    for name in ["mina", "juno"] {
        let user = law.new_user();
        let name = username(name);
        law.insert(&user, &[(&name, Some(law.now))]).await;
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
    assert_eq!(by_name.user, *juno);
    assert!(by_name.credential.is_some());
    assert_eq!(law.stored_session(other_session.id).await, *other_session);

    let heir = law.new_user();
    law.insert(&heir, &[(name, None)]).await;
    let mut uow = law.begin().await;
    uow.delete_user(mina.id)
        .await
        .expect("deleting nobody is fine");
}
