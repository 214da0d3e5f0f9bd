//! Messages on their way out. Their times are the store's: it decides what has
//! expired.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, is_taken};
use crate::model::{
    Backlog, ClaimedMessage, DeliveryState, MessageId, MessageKind, QueuedMessage, Settlement,
    Timestamp,
};
use crate::ports::StoreError;

/// How long a claim lasts.
const CLAIM: Duration = Duration::from_secs(30);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A message that was queued at `created_at` and lives for five minutes.
fn new_message(law: &StoreSubject, created_at: Timestamp) -> QueuedMessage {
    QueuedMessage {
        id: MessageId::generate(created_at, &law.random),
        kind: MessageKind::Code,
        sealed: law.bytes::<200>().to_vec(),
        created_at,
        expires_at: created_at.plus(seconds(300)),
    }
}

async fn enqueue(law: &StoreSubject, message: &QueuedMessage) {
    law.store.enqueue(message).await.expect("queued");
}

async fn claim(law: &StoreSubject, now: Timestamp, limit: u32) -> Vec<ClaimedMessage> {
    let claimed = law.store.claim_messages(now, now.plus(CLAIM), limit);
    claimed.await.expect("an answer")
}

async fn settle(law: &StoreSubject, settled: &[(MessageId, Settlement)]) {
    let settled = law.store.settle_messages(settled).await;
    settled.expect("settled");
}

async fn state(law: &StoreSubject, message: &QueuedMessage) -> Option<DeliveryState> {
    let state = law.store.delivery_state(message.id).await;
    state.expect("an answer")
}

/// Every field survives, however it was queued.
pub async fn a_message_is_claimed_as_it_was_queued(law: &StoreSubject) {
    let now = law.store_now().await;
    let code = new_message(law, now);
    let notice = QueuedMessage {
        kind: MessageKind::Notice,
        sealed: (0..=255).cycle().take(8000).collect(),
        ..new_message(law, now)
    };
    enqueue(law, &code).await;
    let mut uow = law.begin().await;
    uow.insert_message(&notice).await.expect("queued");
    uow.commit().await.expect("committed");
    assert_eq!(state(law, &code).await, Some(DeliveryState::Queued));

    let mut claimed = claim(law, now, 10).await;
    claimed.sort_by_key(|claimed| claimed.message.kind == MessageKind::Notice);
    let expected = [code.clone(), notice].map(|message| ClaimedMessage {
        message,
        attempts: 0,
        is_doubtful: false,
    });
    assert_eq!(claimed, expected);
    assert_eq!(state(law, &code).await, Some(DeliveryState::Sending));
    let unknown = new_message(law, now);
    assert_eq!(state(law, &unknown).await, None);
}

/// An id that exists already is refused, alone: those who are queued at the same
/// moment are not.
pub async fn a_message_id_is_taken_once_and_spoils_no_other(law: &StoreSubject) {
    let now = law.store_now().await;
    let first = new_message(law, now);
    enqueue(law, &first).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..32 {
        let store = Arc::clone(&law.store);
        let message = if number == 13 {
            first.clone()
        } else {
            new_message(law, now)
        };
        tasks.spawn(async move { (number, store.enqueue(&message).await) });
    }
    for (number, queued) in tasks.join_all().await {
        if number == 13 {
            assert!(is_taken(&queued), "{queued:?}");
        } else {
            queued.expect("queued");
        }
    }
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_message(&first).await));
}

/// Whatever a store does to many at once, none is lost.
pub async fn of_64_messages_queued_at_once_all_are_there(law: &StoreSubject) {
    let now = law.store_now().await;
    let messages: Vec<_> = (0..64).map(|_| new_message(law, now)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for message in messages.clone() {
        let store = Arc::clone(&law.store);
        tasks.spawn(async move { store.enqueue(&message).await.expect("queued") });
    }
    tasks.join_all().await;
    for message in &messages {
        // Another law may have claimed it already.
        assert!(state(law, message).await.is_some());
    }
}

/// Of many replicas, one sends it.
pub async fn a_message_is_claimed_by_one_of_16_who_ask_at_once(law: &StoreSubject) {
    let now = law.store_now().await;
    let messages: Vec<_> = (0..40).map(|_| new_message(law, now)).collect();
    for message in &messages {
        enqueue(law, message).await;
    }
    let start = Arc::new(tokio::sync::Barrier::new(16));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(&law.store);
        let start = Arc::clone(&start);
        tasks.spawn(async move {
            start.wait().await;
            let mut mine = Vec::new();
            loop {
                match store.claim_messages(now, now.plus(CLAIM), 7).await {
                    Ok(claimed) if claimed.is_empty() => return mine,
                    Ok(claimed) => mine.extend(claimed),
                    Err(StoreError::Conflict) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    let claimed: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let mut ids: Vec<_> = claimed.iter().map(|claimed| claimed.message.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), claimed.len(), "one was claimed twice");
    // Whoever passed over rows that another was claiming may have left some.
    let rest = claim(law, now, 100).await;
    assert_eq!(claimed.len() + rest.len(), messages.len());
    assert_eq!(claim(law, now, 100).await, []);
}

/// As many as were asked for, none before it was queued.
pub async fn the_oldest_messages_are_claimed_first(law: &StoreSubject) {
    let now = law.store_now().await;
    let ages = [30, 10, 50, 20, 40];
    let mut messages = ages.map(|age| new_message(law, now.minus(seconds(age))));
    for message in &messages {
        enqueue(law, message).await;
    }
    enqueue(law, &new_message(law, now.plus(seconds(5)))).await;
    messages.sort_by_key(|message| message.created_at);

    let mut claimed = claim(law, now, 2).await;
    assert_eq!(claimed.len(), 2);
    claimed.extend(claim(law, now, 2).await);
    claimed.extend(claim(law, now, 2).await);
    let claimed: Vec<_> = claimed.into_iter().map(|claimed| claimed.message).collect();
    assert_eq!(claimed, messages);
    assert_eq!(claim(law, now, 2).await, []);
}

/// However many of these wait, and for however long.
pub async fn a_code_is_claimed_before_all_notices(law: &StoreSubject) {
    let now = law.store_now().await;
    let notices: Vec<_> = (0..200)
        .map(|age| QueuedMessage {
            kind: MessageKind::Notice,
            ..new_message(law, now.minus(seconds(10 + age)))
        })
        .collect();
    for notice in &notices {
        enqueue(law, notice).await;
    }
    let codes = [
        new_message(law, now.minus(seconds(1))),
        new_message(law, now),
    ];
    for code in &codes {
        enqueue(law, code).await;
    }
    let claimed = claim(law, now, 5).await;
    let claimed: Vec<_> = claimed.into_iter().map(|claimed| claimed.message).collect();
    assert_eq!(claimed[..2], codes);
    let oldest: Vec<_> = notices[197..].iter().rev().cloned().collect();
    assert_eq!(claimed[2..], oldest);
    let rest = claim(law, now, 300).await;
    assert_eq!(rest.len(), notices.len() - oldest.len());
}

/// Whoever claimed it may have sent it, and died before saying so.
pub async fn a_lapsed_claim_comes_back_in_doubt(law: &StoreSubject) {
    let now = law.store_now().await;
    let message = new_message(law, now);
    enqueue(law, &message).await;
    assert_eq!(claim(law, now, 10).await.len(), 1);
    let end = now.plus(CLAIM);
    assert_eq!(claim(law, end, 10).await, [], "the claim has not ended");
    let later = end.plus(Duration::from_millis(1));
    let again = ClaimedMessage {
        message: message.clone(),
        attempts: 1,
        is_doubtful: true,
    };
    assert_eq!(claim(law, later, 10).await, [again]);
    assert_eq!(claim(law, later, 10).await, [], "it was claimed again");
}

/// What was settled for another try is not in doubt.
pub async fn a_message_to_be_tried_again_waits_for_its_time(law: &StoreSubject) {
    let now = law.store_now().await;
    let message = new_message(law, now);
    enqueue(law, &message).await;
    assert_eq!(claim(law, now, 10).await.len(), 1);
    let due_at = now.plus(seconds(60));
    settle(law, &[(message.id, Settlement::RetryAt(due_at))]).await;
    assert_eq!(state(law, &message).await, Some(DeliveryState::Queued));
    let before = due_at.minus(Duration::from_millis(1));
    assert_eq!(claim(law, before, 10).await, []);
    let again = ClaimedMessage {
        message: message.clone(),
        attempts: 1,
        is_doubtful: false,
    };
    assert_eq!(claim(law, due_at, 10).await, [again]);
}

/// What was sent is gone, what failed says so.
pub async fn what_is_settled_is_not_claimed(law: &StoreSubject) {
    let now = law.store_now().await;
    let messages: Vec<_> = (0..5).map(|_| new_message(law, now)).collect();
    for message in &messages {
        enqueue(law, message).await;
    }
    assert_eq!(claim(law, now, 10).await.len(), 5);
    settle(law, &[]).await;
    settle(
        law,
        &[
            (messages[0].id, Settlement::Sent),
            (messages[1].id, Settlement::Failed),
            (messages[2].id, Settlement::RetryAt(now)),
            (new_message(law, now).id, Settlement::Sent),
            (messages[4].id, Settlement::LeftOut),
        ],
    )
    .await;
    for (message, expected) in messages.iter().zip([
        None,
        Some(DeliveryState::Failed),
        Some(DeliveryState::Queued),
        Some(DeliveryState::Sending),
        None,
    ]) {
        assert_eq!(state(law, message).await, expected);
    }
    let much_later = now.plus(seconds(200));
    let claimed = claim(law, much_later, 10).await;
    let mut ids: Vec<_> = claimed.iter().map(|claimed| claimed.message.id).collect();
    ids.sort();
    let mut expected = [messages[2].id, messages[3].id];
    expected.sort();
    assert_eq!(ids, expected);
}

/// Nor is it told where it is.
pub async fn an_expired_message_is_never_claimed(law: &StoreSubject) {
    let now = law.store_now().await;
    let expired = new_message(law, now.minus(seconds(301)));
    let living = new_message(law, now);
    for message in [&expired, &living] {
        enqueue(law, message).await;
    }
    assert_eq!(state(law, &expired).await, None);
    let claimed = claim(law, now, 10).await;
    let ids: Vec<_> = claimed.iter().map(|claimed| claimed.message.id).collect();
    assert_eq!(ids, [living.id]);
    assert_eq!(claim(law, living.expires_at, 10).await, []);
    let last = living.expires_at.minus(Duration::from_millis(1));
    assert_eq!(claim(law, last, 10).await.len(), 1);
}

/// What is being sent waits still; what was sent, has failed or has expired does
/// not.
pub async fn the_backlog_tells_what_waits_and_since_when(law: &StoreSubject) {
    let backlog = async || law.store.backlog().await.expect("an answer");
    let waiting = |messages, oldest| Backlog { messages, oldest };
    assert_eq!(backlog().await, waiting(0, None));
    let now = law.store_now().await;
    let ages = [301, 40, 30, 20, 10];
    let messages = ages.map(|age| new_message(law, now.minus(seconds(age))));
    for message in &messages {
        enqueue(law, message).await;
    }
    let since = |message: usize| Some(messages[message].created_at);
    assert_eq!(backlog().await, waiting(4, since(1)));
    assert_eq!(claim(law, now, 3).await.len(), 3);
    assert_eq!(backlog().await, waiting(4, since(1)));
    settle(
        law,
        &[
            (messages[1].id, Settlement::Failed),
            (messages[2].id, Settlement::Sent),
            (messages[3].id, Settlement::RetryAt(now.plus(seconds(60)))),
        ],
    )
    .await;
    assert_eq!(backlog().await, waiting(2, since(3)));
}

/// What it would have told of has not happened.
pub async fn a_message_of_a_dropped_unit_of_work_is_never_sent(law: &StoreSubject) {
    let now = law.store_now().await;
    let message = new_message(law, now);
    let mut uow = law.begin().await;
    uow.insert_message(&message).await.expect("queued");
    drop(uow);
    assert_eq!(state(law, &message).await, None);
    assert_eq!(claim(law, now, 10).await, []);
}
