//! Second factors and recovery codes.

use std::sync::Arc;

use super::subject::{StoreSubject, is_conflict, is_taken, yes_of};
use crate::model::{AuthenticationId, Factor, FactorId, FactorKind, FactorLabel, User, UserId};
use crate::ports::{Store, StoreError};

pub(super) fn factor(law: &StoreSubject, user: &User) -> Factor {
    Factor {
        id: FactorId::generate(law.now, &law.random),
        user_id: user.id,
        kind: FactorKind::Totp,
        label: FactorLabel::parse("내 전화기 📱").expect("a name"),
        sealed: law.bytes::<77>().to_vec(),
        last_step: 59_666_666,
        created_at: law.later(5),
        enrolled_by: Some(AuthenticationId::from_bytes(law.bytes())),
    }
}

async fn insert(law: &StoreSubject, factors: &[Factor]) {
    let mut uow = law.begin().await;
    for factor in factors {
        uow.insert_factor(factor, None).await.expect("a new factor");
    }
    uow.commit().await.expect("committed");
}

async fn of(law: &StoreSubject, user: UserId) -> Vec<Factor> {
    let factors = law.store.factors(user).await.expect("an answer");
    let factors = factors.into_iter().collect::<Result<_, _>>();
    factors.expect("readable")
}

async fn put_codes(law: &StoreSubject, user: &User, codes: &[[u8; 32]]) {
    let mut uow = law.begin().await;
    uow.put_recovery_codes(user.id, codes).await.expect("put");
    uow.commit().await.expect("committed");
}

async fn codes_left(law: &StoreSubject, user: &User) -> u32 {
    let left = law.store.recovery_codes_left(user.id).await;
    left.expect("an answer")
}

/// Every field survives, the longest name and secret too, oldest first.
pub async fn a_factor_is_read_as_written(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let first = factor(law, &user);
    let second = Factor {
        label: FactorLabel::parse(&"필".repeat(64)).expect("a name"),
        kind: FactorKind::Passkey,
        sealed: vec![0xff; 2048],
        enrolled_by: None,
        last_step: 0,
        created_at: law.later(6),
        ..factor(law, &user)
    };
    let address = |kind, at| Factor {
        kind,
        last_step: 0,
        created_at: law.later(at),
        ..factor(law, &user)
    };
    let (phone, email) = (address(FactorKind::Sms, 7), address(FactorKind::Email, 8));
    let others = factor(law, &other);
    insert(
        law,
        &[
            second.clone(),
            others,
            first.clone(),
            email.clone(),
            phone.clone(),
        ],
    )
    .await;
    assert_eq!(
        of(law, user.id).await,
        [first.clone(), second, phone, email]
    );
    let kinds = async |user| {
        let kinds = law.store.factor_kinds(user).await.expect("an answer");
        let has = |kind| kinds.contains(&Some(kind));
        (kinds.len(), has(FactorKind::Totp), has(FactorKind::Passkey))
    };
    assert_eq!(kinds(user.id).await, (4, true, true));
    assert_eq!(kinds(other.id).await, (1, true, false));
    let nobody = law.user().await;
    assert_eq!(kinds(nobody.id).await, (0, false, false));
    assert_eq!(of(law, nobody.id).await, []);
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_factor(&first, None).await));
}

/// Neither a factor nor a code of nobody can be made: the user may just have
/// been deleted.
pub async fn a_factor_needs_its_user(law: &StoreSubject) {
    let nobody = law.new_user();
    let mut uow = law.begin().await;
    assert!(is_conflict(
        &uow.insert_factor(&factor(law, &nobody), None).await
    ));
    drop(uow);
    let mut uow = law.begin().await;
    let codes = uow.put_recovery_codes(nobody.id, &[[1; 32]]).await;
    assert!(is_conflict(&codes));
}

/// A credential is of one factor, whoever's, and found by all of its bytes.
pub async fn a_credential_is_of_one_factor(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let passkey = |user: &User| Factor {
        kind: FactorKind::Passkey,
        ..factor(law, user)
    };
    let insert = async |factor: &Factor, credential: [u8; 32]| {
        let mut uow = law.begin().await;
        uow.insert_factor(factor, Some(&credential)).await?;
        uow.commit().await
    };
    let find = async |credential: [u8; 32]| {
        let found = law.store.factor_by_credential(&credential).await;
        found.expect("an answer")
    };
    let credential: [u8; 32] = law.bytes();
    let (first, second) = (passkey(&user), passkey(&other));
    insert(&first, credential).await.expect("a new factor");
    assert!(is_taken(&insert(&second, credential).await));
    assert_eq!(of(law, other.id).await, [], "nothing is left of it");
    assert_eq!(find(credential).await, Some(first.clone()));
    let mut near = credential;
    near[31] ^= 0x20;
    assert_eq!(find(near).await, None);
    insert(&second, near).await.expect("another credential");
    assert_eq!(find(credential).await, Some(first.clone()));
    assert_eq!(find(near).await, Some(second));

    let mut uow = law.begin().await;
    assert!(uow.delete_factor(user.id, first.id).await.expect("deleted"));
    uow.commit().await.expect("committed");
    assert_eq!(find(credential).await, None);
    let third = passkey(&other);
    insert(&third, credential).await.expect("it is free");
    let mut uow = law.begin().await;
    uow.delete_user(other.id).await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(find(credential).await, None);
}

/// A factor is deleted by its own user alone, and counted until then.
pub async fn a_factor_is_deleted_once_by_its_user(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let [first, second] = [factor(law, &user), factor(law, &user)];
    insert(law, &[first.clone(), second.clone()]).await;
    let mut uow = law.begin().await;
    assert_eq!(uow.count_factors(user.id).await.expect("an answer"), 2);
    let mut answers = Vec::new();
    for user in [other.id, user.id, user.id] {
        let deleted = uow.delete_factor(user, first.id).await;
        answers.push(deleted.expect("an answer"));
    }
    assert_eq!(answers, [false, true, false]);
    assert_eq!(uow.count_factors(user.id).await.expect("an answer"), 1);
    uow.commit().await.expect("committed");
    assert_eq!(of(law, user.id).await, [second]);
}

/// A step is taken once, and no earlier one after it.
pub async fn a_factor_moves_forward_alone(law: &StoreSubject) {
    let user = law.user().await;
    let [factor, bystander] = [factor(law, &user), factor(law, &user)];
    insert(law, &[factor.clone(), bystander.clone()]).await;
    let last = factor.last_step;
    let take = async |step| law.store.move_factor_forward(factor.id, step).await;
    let mut answers = Vec::new();
    for step in [last - 1, last, last + 1, last + 1, last + 5, last + 2] {
        answers.push(take(step).await.expect("an answer"));
    }
    assert_eq!(answers, [false, false, true, false, true, false]);
    let steps: Vec<_> = of(law, user.id).await;
    let of_bystander = steps.iter().find(|kept| kept.id == bystander.id);
    assert_eq!(of_bystander.map(|kept| kept.last_step), Some(last));
    let unknown = FactorId::generate(law.now, &law.random);
    let taken = law.store.move_factor_forward(unknown, last + 9).await;
    assert!(!taken.expect("an answer"));
}

/// However many ask.
pub async fn of_64_who_move_a_factor_forward_at_once_one_does(law: &StoreSubject) {
    let user = law.user().await;
    let factor = factor(law, &user);
    insert(law, std::slice::from_ref(&factor)).await;
    let (id, step) = (factor.id, factor.last_step + 1);
    let taken = yes_of(64, || {
        let store = Arc::clone(&law.store);
        async move { store.move_factor_forward(id, step).await }
    });
    assert_eq!(taken.await, 1);
}

/// Codes are their user's alone, and new ones take the place of all.
pub async fn recovery_codes_are_taken_once_and_replaced_as_a_whole(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let shared: [u8; 32] = law.bytes();
    let second = [0x80; 32];
    put_codes(law, &user, &[shared, second]).await;
    put_codes(law, &other, &[shared]).await;
    let take = async |user: &User, code: [u8; 32]| {
        take_code(&*law.store, user.id, code)
            .await
            .expect("an answer")
    };
    assert!(!take(&other, second).await, "it is somebody else's");
    assert!(take(&user, shared).await);
    assert!(!take(&user, shared).await, "it was taken");
    assert_eq!(codes_left(law, &user).await, 1);
    assert_eq!(codes_left(law, &other).await, 1);

    put_codes(law, &user, &[[1; 32], [2; 32], [3; 32]]).await;
    assert!(!take(&user, second).await, "it was replaced");
    assert_eq!(codes_left(law, &user).await, 3);
    put_codes(law, &user, &[]).await;
    assert_eq!(codes_left(law, &user).await, 0);
    assert!(take(&other, shared).await);
}

async fn take_code(store: &dyn Store, user: UserId, code: [u8; 32]) -> Result<bool, StoreError> {
    let mut uow = store.begin().await?;
    uow.lock_user(user).await?;
    let taken = uow.take_recovery_code(user, &code).await?;
    uow.commit().await?;
    Ok(taken)
}

/// What was taken is back if the unit of work is dropped.
pub async fn a_code_and_a_step_are_taken_with_the_unit_of_work(law: &StoreSubject) {
    let user = law.user().await;
    let (factor, code) = (factor(law, &user), law.bytes());
    insert(law, std::slice::from_ref(&factor)).await;
    put_codes(law, &user, &[code]).await;
    for is_kept in [false, true] {
        let mut uow = law.begin().await;
        let step = factor.last_step + 1;
        for is_first in [true, false] {
            let taken = uow.take_recovery_code(user.id, &code).await;
            assert_eq!(taken.expect("an answer"), is_first);
            let moved = uow.move_factor_forward(factor.id, step).await;
            assert_eq!(moved.expect("an answer"), is_first);
        }
        match is_kept {
            true => uow.commit().await.expect("committed"),
            false => drop(uow),
        }
        let left = u32::from(!is_kept);
        assert_eq!(codes_left(law, &user).await, left);
        let moved = of(law, user.id).await[0].last_step - factor.last_step;
        assert_eq!(moved, i64::from(is_kept));
    }
}

/// However many ask.
pub async fn of_64_who_take_a_recovery_code_at_once_one_gets_it(law: &StoreSubject) {
    let user = law.user().await;
    let code = law.bytes();
    put_codes(law, &user, &[code, [9; 32]]).await;
    let taken = yes_of(64, || {
        let (store, user) = (Arc::clone(&law.store), user.id);
        async move { take_code(&*store, user, code).await }
    });
    assert_eq!(taken.await, 1);
    assert_eq!(codes_left(law, &user).await, 1);
}

/// Factors and codes go with their user.
pub async fn deleting_a_user_deletes_its_factors(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    for user in [&user, &other] {
        insert(law, &[factor(law, user)]).await;
        put_codes(law, user, &[[1; 32]]).await;
    }
    let mut uow = law.begin().await;
    uow.delete_user(user.id).await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(of(law, user.id).await, []);
    assert_eq!(codes_left(law, &user).await, 0);
    assert_eq!(of(law, other.id).await.len(), 1);
    assert_eq!(codes_left(law, &other).await, 1);
}
