//! Waiting for something to come true, never for ever.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything that must happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Looks again and again until there is an answer, and tells how long it took.
///
/// # Panics
/// If there is none within the time.
pub async fn eventually<T, F>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> F,
) -> (T, Duration)
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return (found, began.elapsed());
        }
        assert!(began.elapsed() < within, "not within {within:?}: {what}");
        sleep(BETWEEN_LOOKS).await;
    }
}

/// Looks again and again until it is so, and tells how long it took; `None` if
/// it is not so within the time.
pub async fn comes_true<F>(within: Duration, mut look: impl FnMut() -> F) -> Option<Duration>
where
    F: Future<Output = bool>,
{
    let began = Instant::now();
    loop {
        if look().await {
            return Some(began.elapsed());
        }
        if began.elapsed() >= within {
            return None;
        }
        sleep(BETWEEN_LOOKS).await;
    }
}
