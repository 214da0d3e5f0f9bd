//! Many who do something at the very same moment.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Lets `size` members act at once, released by one barrier, and returns what
/// came of it, in the order of the members.
///
/// # Panics
/// If a member does.
pub async fn crowd<T, F>(size: usize, act: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(size));
    let mut members = JoinSet::new();
    for member in 0..size {
        let barrier = Arc::clone(&barrier);
        let action = act(member);
        members.spawn(async move {
            barrier.wait().await;
            (member, action.await)
        });
    }
    let mut outcomes = members.join_all().await;
    outcomes.sort_by_key(|(member, _)| *member);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
