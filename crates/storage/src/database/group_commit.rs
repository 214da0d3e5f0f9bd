//! Group commit: what is done with the batches of requests that are made at the
//! same time. They share a round trip and a commit.

mod queued_messages;
mod refresh_rotations;
mod session_reads;

use countersign_domain::ports::StoreError;

use super::error::unavailable;
use crate::batcher::{Batcher, Pending};

pub(super) use queued_messages::MessageBatches;
pub(super) use refresh_rotations::RotationBatches;
pub(super) use session_reads::SessionBatches;

/// Requests whose answers may be errors.
pub(super) type GroupCommit<Q, A> = Batcher<Q, Result<A, StoreError>>;
type PendingAnswer<Q, A> = Pending<Q, Result<A, StoreError>>;

/// Asks, and waits for the answer.
pub(super) async fn ask<Q, A>(batches: &GroupCommit<Q, A>, request: Q) -> Result<A, StoreError>
where
    Q: Send + 'static,
    A: Send + 'static,
{
    let answer = batches.ask(request).await;
    answer.unwrap_or_else(|no_answer| Err(unavailable(&no_answer.to_string())))
}

/// Asks for a change, and waits for the answer. Without one it may have been made.
pub(super) async fn ask_for_a_change<Q, A>(
    batches: &GroupCommit<Q, A>,
    request: Q,
) -> Result<A, StoreError>
where
    Q: Send + 'static,
    A: Send + 'static,
{
    let answer = batches.ask(request).await;
    answer.unwrap_or_else(|no_answer| Err(StoreError::Uncertain(no_answer.to_string())))
}

/// Answers all with the same error.
fn fail_batch<Q, A>(batch: Vec<PendingAnswer<Q, A>>, error: &StoreError)
where
    Q: Send + 'static,
    A: Send + 'static,
{
    for pending in batch {
        pending.answer(Err(error.clone()));
    }
}
