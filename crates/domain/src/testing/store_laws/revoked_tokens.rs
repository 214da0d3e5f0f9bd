//! Tokens in the revocation feed that belong to no session.

use std::time::Duration;

use futures_util::future;

use super::subject::StoreSubject;
use crate::model::{Revocation, SessionId, Timestamp};
use crate::ports::StoreError;
use crate::testing;

async fn put(law: &StoreSubject, id: SessionId, until: Timestamp) -> Revocation {
    let mut uow = law.begin().await;
    let entered = uow.put_revocation(id, until).await.expect("entered");
    let own = uow.entered_revocations(&[id]).await.expect("an answer");
    assert_eq!(own, [entered]);
    uow.commit().await.expect("committed");
    entered
}

async fn insert(law: &StoreSubject, id: SessionId) -> Result<Revocation, StoreError> {
    let mut uow = law.begin().await;
    let entered = uow.insert_revocation(id, law.now).await?;
    uow.commit().await?;
    Ok(entered)
}

async fn known(law: &StoreSubject, ids: &[SessionId]) -> Vec<Revocation> {
    law.store.revocations_of(ids).await.expect("an answer")
}

async fn of_feed(law: &StoreSubject, id: SessionId) -> Vec<Revocation> {
    let beginning = Timestamp::from_millis(0);
    let all = testing::whole_feed(&*law.store, beginning, law.now).await;
    let mut all = all.expect("readable");
    all.retain(|entry| entry.session_id == id);
    all
}

/// Stamped by the store each time, and never kept shorter than before.
pub async fn a_token_without_a_session_is_revoked_and_again(law: &StoreSubject) {
    let id = law.session_id();
    let late = law
        .store_now()
        .await
        .plus(Duration::from_secs(400 * 86_400));
    let before = law.store_now().await;
    let first = put(law, id, late).await;
    assert!((before..=law.store_now().await).contains(&first.revoked_at));
    assert_eq!(
        first.expires_at,
        Revocation::kept_until(late, first.revoked_at)
    );
    assert_eq!(known(law, &[id]).await, [first]);

    let again = put(law, id, law.now).await;
    assert!(again.revoked_at >= first.revoked_at);
    assert_eq!(again.expires_at, first.expires_at);
    let other = law.session_id();
    assert_eq!(known(law, &[id, other]).await, [again]);
    assert_eq!(known(law, &[]).await, []);
    assert_eq!(of_feed(law, id).await, [again]);
}

/// That is how a token is used once.
pub async fn a_token_is_entered_once(law: &StoreSubject) {
    let id = law.session_id();
    let mut uow = law.begin().await;
    assert!(uow.insert_revocation(id, law.now).await.is_ok());
    drop(uow);
    let first = insert(law, id)
        .await
        .expect("what was dropped left no trace");
    assert!(matches!(insert(law, id).await, Err(StoreError::Taken)));
    assert_eq!(of_feed(law, id).await, [first]);
}

/// Whoever comes second waits or fails, and does not enter it again.
pub async fn of_16_who_enter_a_token_at_once_one_does(law: &StoreSubject) {
    let id = law.session_id();
    let all = future::join_all((0..16).map(|_| insert(law, id))).await;
    assert_eq!(all.iter().filter(|entered| entered.is_ok()).count(), 1);
    let lost = all.into_iter().filter_map(Result::err);
    for error in lost {
        let is_known = matches!(error, StoreError::Taken | StoreError::Conflict);
        assert!(is_known, "{error:?}");
    }
    assert_eq!(of_feed(law, id).await.len(), 1);
}
