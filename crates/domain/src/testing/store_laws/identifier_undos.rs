//! Changes of addresses that can be undone, and what undoing them needs.

use std::sync::Arc;
use std::time::Duration;

use super::factors::factor;
use super::subject::{StoreSubject, credential, email, is_conflict, phone, username, yes_of};
use crate::model::{Address, HeldDigest, Identifier, IdentifierUndo, Timestamp, UndoDigest, User};
use crate::ports::StoreError;

const TIME: Duration = Duration::from_secs(72 * 3600);

/// A change of a user that can be undone.
fn undo(law: &StoreSubject, user: &User) -> IdentifierUndo {
    IdentifierUndo {
        digest: UndoDigest::from_bytes(law.bytes()),
        user_id: user.id,
        held: Some(HeldDigest::from_bytes(law.bytes())),
        sealed: law.bytes::<200>().to_vec(),
        created_at: law.now,
        expires_at: law.now.plus(TIME),
    }
}

async fn insert(law: &StoreSubject, undos: &[IdentifierUndo]) {
    let mut uow = law.begin().await;
    for undo in undos {
        uow.insert_identifier_undo(undo).await.expect("a change");
    }
    uow.commit().await.expect("committed");
}

/// As it is stored.
pub(super) async fn stored(law: &StoreSubject, undo: &IdentifierUndo) -> Option<IdentifierUndo> {
    let stored = law.store.identifier_undo(&undo.digest).await;
    stored.expect("readable")
}

/// All of a user.
async fn all(law: &StoreSubject, user: &User) -> Vec<IdentifierUndo> {
    let undos = law
        .store
        .identifier_undos(user.id)
        .await
        .expect("an answer");
    let undos = undos.into_iter().collect::<Result<_, _>>();
    undos.expect("readable")
}

async fn take(law: &StoreSubject, undo: &IdentifierUndo, now: Timestamp) -> bool {
    let mut uow = law.begin().await;
    let taken = uow.take_identifier_undo(&undo.digest, now).await;
    uow.commit().await.expect("committed");
    taken.expect("an answer")
}

/// Every field survives, also the longest text.
pub async fn an_undo_is_read_as_written(law: &StoreSubject) {
    let user = law.user().await;
    let long = IdentifierUndo {
        held: None,
        sealed: vec![7; 8_000],
        ..undo(law, &user)
    };
    for undo in [undo(law, &user), long] {
        assert_eq!(stored(law, &undo).await, None);
        insert(law, std::slice::from_ref(&undo)).await;
        assert_eq!(stored(law, &undo).await, Some(undo));
    }
}

/// One of nobody cannot be made: its user may just have been deleted.
pub async fn an_undo_needs_its_user(law: &StoreSubject) {
    let orphan = undo(law, &law.new_user());
    let mut uow = law.begin().await;
    let inserted = uow.insert_identifier_undo(&orphan).await;
    assert!(is_conflict(&inserted), "{inserted:?}");
}

/// In the order in which they were made, whatever their times say, and nobody
/// else's.
pub async fn undos_are_listed_as_they_were_made(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let back = IdentifierUndo {
        created_at: law.now.minus(TIME),
        ..undo(law, &user)
    };
    let undos = [undo(law, &user), back, undo(law, &user)];
    for undo in &undos {
        insert(law, std::slice::from_ref(undo)).await;
    }
    insert(law, &[undo(law, &other)]).await;
    let listed = all(law, &user).await;
    assert_eq!(listed, undos);
    let nobody = law.store.identifier_undos(law.new_user().id).await;
    assert!(nobody.expect("an answer").is_empty());
}

/// The last of them, whichever was made last, and nobody else's.
pub async fn the_last_expiry_of_undos_is_told(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let sooner = IdentifierUndo {
        expires_at: law.later(60),
        ..undo(law, &user)
    };
    let theirs = IdentifierUndo {
        expires_at: law.now.plus(2 * TIME),
        ..undo(law, &other)
    };
    insert(law, &[undo(law, &user), sooner, theirs]).await;
    let mut uow = law.begin().await;
    let last = uow.last_undo_expiry(user.id).await.expect("an answer");
    assert_eq!(last, Some(law.now.plus(TIME)));
    let nobody = uow.last_undo_expiry(law.new_user().id).await;
    assert_eq!(nobody.expect("an answer"), None);
}

/// What came before stays, whatever the times say, and what is nobody's business.
pub async fn an_undo_takes_all_later_ones_with_it(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let back = IdentifierUndo {
        created_at: law.now.minus(TIME),
        ..undo(law, &user)
    };
    let undos = [undo(law, &user), undo(law, &user), back];
    let theirs = undo(law, &other);
    insert(law, &undos).await;
    insert(law, std::slice::from_ref(&theirs)).await;
    assert!(take(law, &undos[1], law.now).await);
    let left = all(law, &user).await;
    assert_eq!(left, undos[..1]);
    assert_eq!(stored(law, &theirs).await, Some(theirs));
    // What is undone stays undone.
    assert!(!take(law, &undos[1], law.now).await);
    assert!(!take(law, &undos[2], law.now).await);
    // The next one is later than what is left.
    let next = undo(law, &user);
    insert(law, std::slice::from_ref(&next)).await;
    assert!(take(law, &undos[0], law.now).await);
    assert_eq!(stored(law, &next).await, None);
}

/// Not a moment longer; it takes nothing with it then.
pub async fn an_undo_is_good_until_its_time_is_over(law: &StoreSubject) {
    let user = law.user().await;
    let undos = [undo(law, &user), undo(law, &user)];
    insert(law, &undos).await;
    let end = undos[0].expires_at;
    assert!(!take(law, &undos[0], end).await);
    assert_eq!(stored(law, &undos[1]).await, Some(undos[1].clone()));
    let before = end.minus(Duration::from_millis(1));
    assert!(take(law, &undos[0], before).await);
    let unknown = undo(law, &user);
    assert!(!take(law, &unknown, law.now).await);
}

/// A race for an undo has one winner.
pub async fn of_64_who_take_an_undo_at_once_one_does(law: &StoreSubject) {
    let user = law.user().await;
    let undo = undo(law, &user);
    insert(law, std::slice::from_ref(&undo)).await;
    let winners = yes_of(64, || {
        let store = Arc::clone(&law.store);
        let (digest, user, now) = (undo.digest, user.id, law.now);
        async move {
            let mut uow = store.begin().await?;
            uow.lock_user(user).await?;
            let taken = uow.take_identifier_undo(&digest, now).await?;
            uow.commit().await?;
            Ok(taken)
        }
    })
    .await;
    assert_eq!(winners, 1);
}

/// For its user alone, and as long as the change can be undone.
pub async fn an_address_is_held_for_its_user(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let undo = undo(law, &user);
    insert(law, std::slice::from_ref(&undo)).await;
    let is_held = async |held: &HeldDigest, besides: &User, now: Timestamp| {
        let mut uow = law.begin().await;
        let held = uow.is_identifier_held(held, besides.id, now).await;
        held.expect("an answer")
    };
    let held = undo.held.expect("an address is held");
    let end = undo.expires_at;
    assert!(is_held(&held, &other, law.now).await);
    assert!(is_held(&held, &other, end.minus(Duration::from_millis(1))).await);
    assert!(!is_held(&held, &other, end).await);
    assert!(!is_held(&held, &user, law.now).await);
    let free = HeldDigest::from_bytes(law.bytes());
    assert!(!is_held(&free, &other, law.now).await);
    assert!(take(law, &undo, law.now).await);
    assert!(!is_held(&held, &other, law.now).await);
}

/// Whoever takes an address that is given up at the same time learns that it is
/// held, or that it is somebody's.
pub async fn an_address_that_is_given_up_is_nobodys_in_between(law: &StoreSubject) {
    for round in 0..8 {
        let mail = Identifier::Email(email(&format!("mina{round}@example.com")));
        let (user, thief) = (law.new_user(), law.user().await);
        law.insert(&user, &[&mail]).await;
        let undo = undo(law, &user);
        let held = undo.held.expect("an address is held");
        let (mut giving, store) = (law.begin().await, Arc::clone(&law.store));
        giving.lock_user(user.id).await.expect("locked");
        assert!(giving.delete_identifier(&user, &mail).await.expect("taken"));
        giving
            .insert_identifier_undo(&undo)
            .await
            .expect("a change");
        let now = law.now;
        let taking = tokio::spawn(async move {
            let mut uow = store.begin().await?;
            uow.insert_identifier(&thief, &mail).await?;
            let is_held = uow.is_identifier_held(&held, thief.id, now).await?;
            Ok::<_, StoreError>(is_held)
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        giving.commit().await.expect("committed");
        match taking.await.expect("no panic") {
            Ok(is_held) => assert!(is_held, "it was taken over"),
            Err(StoreError::Taken | StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Within its unit of work and afterwards; nobody else's.
pub async fn an_identifier_is_taken_from_its_user_alone(law: &StoreSubject) {
    let mail = Address::Email(email("mina@example.com"));
    let number = Address::Phone(phone("+821012345678"));
    let (user, other) = (law.new_user(), law.user().await);
    let (mail_id, number_id) = (mail.clone().into(), number.clone().into());
    law.insert(&user, &[&mail_id, &number_id, &username("mina")])
        .await;
    let mut uow = law.begin().await;
    let theirs = uow.delete_identifier(&other, &mail_id).await;
    assert!(!theirs.expect("an answer"));
    let mut addresses = uow.addresses_of(user.id).await.expect("readable");
    addresses.sort();
    assert_eq!(addresses, [mail, number.clone()]);
    let taken = uow.delete_identifier(&user, &mail_id).await;
    assert!(taken.expect("an answer"));
    let left = uow.addresses_of(user.id).await.expect("readable");
    assert_eq!(left, [number]);
    let again = uow.delete_identifier(&user, &mail_id).await;
    assert!(!again.expect("an answer"));
    uow.commit().await.expect("committed");
    let holder = law.store.account_by_identifier(&law.group, &mail_id).await;
    assert_eq!(holder.expect("readable"), None);
    let mut uow = law.begin().await;
    let given = uow.insert_identifier(&other, &mail_id).await;
    given.expect("it is free");
}

/// The version alone, and the password alone.
pub async fn a_password_is_taken_and_the_version_raised(law: &StoreSubject) {
    let user = law.user().await;
    let mut uow = law.begin().await;
    let password = credential(&user, "hash", law.now);
    uow.put_credential(&password).await.expect("a password");
    uow.commit().await.expect("committed");
    let account = async || {
        let account = law.store.account(user.id).await.expect("readable");
        account.expect("the user")
    };
    let mut uow = law.begin().await;
    let raised = uow.raise_credential_version(user.id).await;
    raised.expect("raised");
    uow.commit().await.expect("committed");
    let now = account().await;
    assert_eq!(now.user.credential_version, user.credential_version + 2);
    assert_eq!(now.credential, Some(password));
    let mut uow = law.begin().await;
    uow.delete_credential(user.id).await.expect("deleted");
    uow.delete_credential(user.id).await.expect("gone already");
    uow.commit().await.expect("committed");
    let now = account().await;
    assert_eq!(now.user.credential_version, user.credential_version + 2);
    assert_eq!(now.credential, None);
    let mut uow = law.begin().await;
    let nobody = uow.raise_credential_version(law.new_user().id).await;
    assert!(is_conflict(&nobody));
}

/// Those from then on, and nobody else's.
pub async fn factors_are_deleted_from_a_time_on(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let enrolled = |user: &User, seconds: u64| {
        let mut factor = factor(law, user);
        factor.created_at = law.later(seconds);
        factor
    };
    let (old, same, new) = (enrolled(&user, 0), enrolled(&user, 5), enrolled(&user, 6));
    let theirs = enrolled(&other, 9);
    let mut uow = law.begin().await;
    for factor in [&old, &same, &new, &theirs] {
        uow.insert_factor(factor, None).await.expect("a factor");
    }
    let since = law.later(5);
    uow.delete_factors_since(user.id, since)
        .await
        .expect("deleted");
    uow.commit().await.expect("committed");
    for (user, kept) in [(&user, &old), (&other, &theirs)] {
        let factors = law.store.factors(user.id).await.expect("readable");
        let ids: Vec<_> = factors.iter().flatten().map(|factor| factor.id).collect();
        assert_eq!(ids, [kept.id]);
    }
}

/// That of the user alone, and once; its credential may be enrolled again.
pub async fn a_factor_is_deleted_by_its_credential(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let (gone, kept, theirs) = (factor(law, &user), factor(law, &user), factor(law, &other));
    let (of_gone, of_theirs) = (law.bytes::<32>(), law.bytes::<32>());
    let mut uow = law.begin().await;
    for (factor, credential) in [
        (&gone, Some(&of_gone)),
        (&kept, None),
        (&theirs, Some(&of_theirs)),
    ] {
        let inserted = uow.insert_factor(factor, credential).await;
        inserted.expect("a factor");
    }
    uow.commit().await.expect("committed");
    let mut uow = law.begin().await;
    for (credential, is_there) in [(&of_theirs, false), (&of_gone, true), (&of_gone, false)] {
        let deleted = uow.delete_factor_by_credential(user.id, credential).await;
        assert_eq!(deleted.expect("an answer"), is_there);
    }
    let again = factor(law, &user);
    let inserted = uow.insert_factor(&again, Some(&of_gone)).await;
    inserted.expect("it is nobody's");
    uow.commit().await.expect("committed");
    for (user, expected) in [(&user, vec![kept.id, again.id]), (&other, vec![theirs.id])] {
        let factors = law.store.factors(user.id).await.expect("readable");
        let mut ids: Vec<_> = factors.iter().flatten().map(|factor| factor.id).collect();
        ids.sort_by_key(|id| expected.iter().position(|known| known == id));
        assert_eq!(ids, expected);
    }
}

/// They are nobody's without their user.
pub async fn deleting_a_user_deletes_its_undos(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let (gone, kept) = (undo(law, &user), undo(law, &other));
    insert(law, &[gone.clone(), kept.clone()]).await;
    let mut uow = law.begin().await;
    uow.delete_user(user.id).await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(stored(law, &gone).await, None);
    assert_eq!(stored(law, &kept).await, Some(kept));
}

/// Some whose time was over before `now`, and some whose time was not.
pub(super) async fn expiring(
    law: &StoreSubject,
    now: Timestamp,
) -> (Vec<IdentifierUndo>, Vec<IdentifierUndo>) {
    let user = law.user().await;
    let until = |expires_at: Timestamp| IdentifierUndo {
        expires_at,
        ..undo(law, &user)
    };
    let before = now.minus(Duration::from_millis(1));
    let gone = vec![until(law.now), until(before), until(before)];
    let kept = vec![until(now), until(now.plus(TIME))];
    insert(law, &gone).await;
    insert(law, &kept).await;
    (gone, kept)
}
