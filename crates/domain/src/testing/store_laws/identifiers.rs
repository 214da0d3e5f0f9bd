//! Identifiers: who holds which, and what counts as the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::subject::{StoreSubject, email, is_conflict, is_taken, phone, username, yes_of};
use crate::model::{Address, Identifier, User};
use crate::ports::StoreError;

/// The second who asks for an identifier does not get it.
pub async fn an_identifier_is_held_once_in_a_group(law: &StoreSubject) {
    let address = Address::Email(email("mina@example.com"));
    let identifiers = [
        address.clone().into(),
        Identifier::Phone(phone("+821012345678")),
        username("mina"),
    ];
    let holder = law.new_user();
    for identifier in &identifiers {
        let mut uow = law.begin().await;
        if *identifier == identifiers[0] {
            uow.insert_user(&holder).await.expect("a new user");
        }
        uow.insert_identifier(&holder, identifier)
            .await
            .expect("a free identifier");
        uow.commit().await.expect("committed");
    }
    let other = law.user().await;
    for identifier in &identifiers {
        let mut uow = law.begin().await;
        let second = uow.insert_identifier(&other, identifier).await;
        assert!(is_taken(&second), "{identifier:?} was given away twice");
        drop(uow);
        let account = law
            .store
            .account_by_identifier(&law.group, identifier)
            .await;
        let account = account.expect("readable").expect("the holder");
        assert_eq!(account.user, holder);
    }
}

/// Groups have nothing to do with each other.
pub async fn two_groups_may_share_an_identifier(law: &StoreSubject) {
    let identifier = Identifier::Email(email("mina@example.com"));
    let here = law.new_user();
    let there = User {
        group: law.other_group(),
        ..law.new_user()
    };
    for user in [&here, &there] {
        law.insert(user, &[&identifier]).await;
    }
    for user in [here, there] {
        let account = law
            .store
            .account_by_identifier(&user.group, &identifier)
            .await;
        let account = account.expect("readable").expect("the holder");
        assert_eq!(account.user, user);
        let mut uow = law.begin().await;
        let locked = uow.lock_user_by_identifier(&user.group, &identifier).await;
        assert_eq!(locked.expect("readable"), Some(user));
    }
}

/// What a database's collation takes for the same is not the same: accents,
/// letter forms that case folding leaves, scripts, expansions.
pub async fn identifiers_compare_byte_for_byte(law: &StoreSubject) {
    let names = [
        "jose",
        "josé",
        "jośe",
        "muller",
        "müller",
        "mueller",
        "istanbul",
        "ıstanbul",
        "елена",
        "ёлена",
        "はばき",
        "ははき",
        "ハハキ",
        "kim.mina",
        "kim_mina",
        "kim-mina",
    ];
    let mut holders = Vec::new();
    for name in names {
        let user = law.new_user();
        law.insert(&user, &[&username(name)]).await;
        holders.push(user);
    }
    for (name, holder) in names.into_iter().zip(holders) {
        let name = username(name);
        let account = law.store.account_by_identifier(&law.group, &name).await;
        let account = account.expect("readable").expect("the holder");
        assert_eq!(account.user, holder, "{name:?} is somebody else's");
    }
    for stranger in ["josè", "istanbul-2", "muler", "ははは"] {
        let name = username(stranger);
        let account = law.store.account_by_identifier(&law.group, &name).await;
        assert_eq!(account.expect("readable"), None, "{stranger}");
    }
}

/// Nothing is cut off.
pub async fn the_longest_identifiers_are_kept(law: &StoreSubject) {
    let domain = format!("{0}.{0}.{0}.example", "d".repeat(59));
    let local: String = "é".repeat(32);
    let mail = Address::Email(email(&format!("{local}@{domain}")));
    assert!(mail.as_str().len() > 250, "it is to be a long one");
    let name = username(&"한".repeat(64));
    let user = law.new_user();
    law.insert(&user, &[&mail.clone().into(), &name]).await;
    let addresses = law.store.addresses(user.id).await;
    assert_eq!(addresses.expect("readable"), [mail]);
    let account = law.store.account_by_identifier(&law.group, &name).await;
    assert!(account.expect("readable").is_some());
}

/// E-mail addresses and phone numbers, not the user name, and nobody else's.
pub async fn the_addresses_of_a_user_are_listed(law: &StoreSubject) {
    let mail = Address::Email(email("mina@example.com"));
    let number = Address::Phone(phone("+821012345678"));
    let user = law.new_user();
    let identifiers = [
        &mail.clone().into(),
        &username("mina"),
        &number.clone().into(),
    ];
    law.insert(&user, &identifiers).await;
    let other = law.new_user();
    let theirs = Identifier::Email(email("juno@example.com"));
    law.insert(&other, &[&theirs]).await;

    let mut addresses = law.store.addresses(user.id).await.expect("readable");
    addresses.sort();
    assert_eq!(addresses, [mail, number]);
    let nobody = law.store.addresses(law.new_user().id).await;
    assert_eq!(nobody.expect("readable"), []);
}

/// An identifier of nobody cannot be made: its user may just have been deleted.
pub async fn an_identifier_needs_its_user(law: &StoreSubject) {
    let nobody = law.new_user();
    let mut uow = law.begin().await;
    let orphan = uow.insert_identifier(&nobody, &username("nobody")).await;
    assert!(is_conflict(&orphan));
}

/// A race for an identifier has one winner and no other outcome.
pub async fn of_16_who_take_an_identifier_at_once_one_gets_it(law: &StoreSubject) {
    let winners = yes_of(16, || {
        let store = Arc::clone(&law.store);
        let group = law.group.clone();
        let user = law.new_user();
        async move {
            let mut uow = store.begin().await?;
            let name = username("mina");
            let holder = match uow.lock_user_by_identifier(&group, &name).await {
                Err(StoreError::Taken | StoreError::Conflict) => return Ok(false),
                holder => holder?,
            };
            if holder.is_some() {
                return Ok(false);
            }
            let taken = async {
                uow.insert_user(&user).await?;
                uow.insert_identifier(&user, &name).await?;
                uow.commit().await
            };
            match taken.await {
                Ok(()) => Ok(true),
                Err(StoreError::Taken | StoreError::Conflict) => Ok(false),
                Err(error) => Err(error),
            }
        }
    })
    .await;
    assert_eq!(winners, 1);
}

/// Looking for what is not there locks nobody out who takes something else.
pub async fn of_16_who_take_different_identifiers_all_get_them(law: &StoreSubject) {
    let number = AtomicU32::new(0);
    let winners = yes_of(16, || {
        let store = Arc::clone(&law.store);
        let group = law.group.clone();
        let user = law.new_user();
        let number = number.fetch_add(1, Ordering::Relaxed);
        async move {
            let name = username(&format!("name-{number}"));
            let mut uow = store.begin().await?;
            let holder = uow.lock_user_by_identifier(&group, &name).await?;
            let same = uow.lock_user(user.id).await?;
            uow.insert_user(&user).await?;
            uow.insert_identifier(&user, &name).await?;
            uow.commit().await?;
            Ok(holder.is_none() && same.is_none())
        }
    })
    .await;
    assert_eq!(winners, 16);
}
