//! Users as a whole.

use super::subject::{StoreSubject, credential, is_conflict, is_taken, scope, username};
use crate::model::{
    Attributes, ExternalId, LanguageTag, PersonName, Profile, Suspension, SuspensionReason,
    TimeZone, Timestamp, User, UserRole, UserState, Withdrawal,
};
use crate::ports::Account;

/// The store answers.
pub async fn a_working_store_answers_a_ping(law: &StoreSubject) {
    law.store.ping().await.expect("an answer");
}

/// All states, with data and without, long and short.
fn states(law: &StoreSubject) -> Vec<UserState> {
    let suspended = |reason: &str, until: Option<Timestamp>| {
        UserState::Suspended(Suspension {
            reason: SuspensionReason::parse(reason).expect("a reason"),
            since: law.now,
            until,
        })
    };
    let withdrawn = |erased| {
        UserState::Withdrawn(Withdrawal {
            at: law.now,
            rejoin_at: law.later(604_800),
            erased,
        })
    };
    vec![
        UserState::Pending,
        UserState::Active,
        suspended("", None),
        suspended(&"가".repeat(255), Some(law.later(60))),
        withdrawn(false),
        withdrawn(true),
    ]
}

/// A user with all that there may be.
pub(super) fn full_user(law: &StoreSubject) -> User {
    let user = law.new_user();
    let id = format!("{} ID", user.id);
    User {
        external_id: Some(ExternalId::parse(&id).expect("an id")),
        profile: Profile {
            name: Some(PersonName::parse(&"김".repeat(255)).expect("a name")),
            locale: Some(LanguageTag::parse("ko-KR").expect("a tag")),
            time_zone: Some(TimeZone::parse("Asia/Seoul").expect("a zone")),
            attributes: Attributes::parse(r#"{"b":[1,2.5,null],"a":{"ㄱ":"\u0000"}}"#)
                .expect("attributes"),
        },
        roles: ["staff", "vip:gold"].map(role).to_vec(),
        scopes: vec![scope("orders:read"), scope("orders:write")],
        revision: i64::MAX,
        updated_at: law.later(9),
        ..user
    }
}

fn role(text: &str) -> UserRole {
    UserRole::parse(text).expect("a role")
}

/// Every field of a user survives.
pub async fn a_user_is_read_as_written(law: &StoreSubject) {
    let many_passwords_later = User {
        credential_version: i64::MAX,
        created_at: law.later(7),
        ..law.new_user()
    };
    let mut users = vec![law.new_user(), many_passwords_later, full_user(law)];
    users.extend(states(law).into_iter().map(|state| User {
        state,
        ..law.new_user()
    }));
    for user in users {
        assert_eq!(law.store.user(user.id).await.expect("readable"), None);
        law.insert(&user, &[]).await;
        let stored = law.store.user(user.id).await.expect("readable");
        assert_eq!(stored, Some(user));
    }
}

/// What is written into a user is read again, and all else of it stays.
pub async fn a_change_of_a_user_is_read_as_written(law: &StoreSubject) {
    let mut user = law.user().await;
    let neighbour = law.user().await;
    let mut versions = vec![full_user(law)];
    versions.extend(states(law).into_iter().map(|state| User {
        state,
        ..law.new_user()
    }));
    for version in versions {
        let other = User {
            id: user.id,
            group: law.other_group(),
            credential_version: 77,
            created_at: law.later(77),
            ..version
        };
        let mut uow = law.begin().await;
        uow.update_user(&other).await.expect("written");
        uow.commit().await.expect("committed");
        user = User {
            group: user.group,
            credential_version: user.credential_version,
            created_at: user.created_at,
            ..other
        };
        let stored = law.store.user(user.id).await.expect("readable");
        assert_eq!(stored.as_ref(), Some(&user));
    }
    let stored = law.store.user(neighbour.id).await.expect("readable");
    assert_eq!(stored, Some(neighbour));

    let mut uow = law.begin().await;
    let nobody = law.new_user();
    assert!(is_conflict(&uow.update_user(&nobody).await));
}

/// An id from another system finds its user in its group, and is held once there.
pub async fn an_external_id_is_held_once_in_a_group(law: &StoreSubject) {
    let first = full_user(law);
    law.insert(&first, &[]).await;
    let id = first.external_id.clone().expect("it has one");
    let elsewhere = User {
        group: law.other_group(),
        external_id: Some(id.clone()),
        ..law.new_user()
    };
    law.insert(&elsewhere, &[]).await;
    for user in [&first, &elsewhere] {
        let found = law.store.user_by_external_id(&user.group, &id).await;
        assert_eq!(found.expect("readable").as_ref(), Some(user));
    }
    // Ids compare byte for byte.
    let lower = ExternalId::parse(&id.as_str().to_lowercase()).expect("an id");
    let found = law.store.user_by_external_id(&law.group, &lower).await;
    assert_eq!(found.expect("readable"), None);

    let second = law.user().await;
    let twin = User {
        external_id: Some(id.clone()),
        ..law.new_user()
    };
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_user(&twin).await));
    drop(uow);
    let claimed = User {
        external_id: Some(id.clone()),
        ..second.clone()
    };
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.update_user(&claimed).await));
    drop(uow);

    // Given up, it is free.
    let without = User {
        external_id: None,
        ..first
    };
    let mut uow = law.begin().await;
    uow.update_user(&without).await.expect("written");
    uow.update_user(&claimed).await.expect("it is free");
    uow.commit().await.expect("committed");
    let found = law.store.user_by_external_id(&law.group, &id).await;
    assert_eq!(found.expect("readable"), Some(claimed));
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
