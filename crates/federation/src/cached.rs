//! What is read from a provider now and then: once for all who wait for it, and kept for a while
//! when it cannot be read again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::failure::Failure;

/// For how long something read is not read again.
const FRESH: Duration = Duration::from_secs(3600);
/// For how long it is used when it cannot be read again.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The pause between two tries, while there is something to use.
const PAUSE: Duration = Duration::from_secs(60);

/// Something that is read from a provider. Times are monotonic.
pub(crate) struct Cached<T> {
    state: Mutex<State<T>>,
    flight: tokio::sync::Mutex<()>,
}

struct State<T> {
    value: Option<(Arc<T>, Duration)>,
    /// How often it was tried: who has waited for a try shares what came of it.
    tries: u64,
    failure: Option<(Failure, Duration)>,
    /// When it was last read although it was fresh.
    renewed: Option<Duration>,
}

impl<T> Cached<T> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                value: None,
                tries: 0,
                failure: None,
                renewed: None,
            }),
            flight: tokio::sync::Mutex::new(()),
        }
    }

    /// What was read last, or is read now.
    ///
    /// # Errors
    /// The reading's, if there is nothing to use instead.
    pub(crate) async fn get(
        &self,
        now: Duration,
        reading: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        let tries = {
            let state = self.state();
            if let Some(value) = state.usable(now) {
                return Ok(value);
            }
            state.tries
        };
        let _flight = self.flight.lock().await;
        {
            let state = self.state();
            if let Some(value) = state.usable(now) {
                return Ok(value);
            }
            if let Some((failure, _)) = state.failure.as_ref().filter(|_| state.tries != tries) {
                return Err(failure.clone());
            }
        }
        let read = reading.await;
        self.state().store(read, now)
    }

    /// Reads it again although it is fresh, at most once a minute; `None` if it is too early. Who
    /// has `seen` an older one gets the newer one.
    ///
    /// # Errors
    /// The reading's.
    pub(crate) async fn renew(
        &self,
        now: Duration,
        seen: &Arc<T>,
        reading: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Option<Arc<T>>, Failure> {
        let _flight = self.flight.lock().await;
        {
            let mut state = self.state();
            let newer = state
                .value
                .as_ref()
                .filter(|(value, _)| !Arc::ptr_eq(value, seen));
            if let Some((value, _)) = newer {
                return Ok(Some(Arc::clone(value)));
            }
            if state.renewed.is_some_and(|at| now < at + PAUSE) {
                return Ok(None);
            }
            state.renewed = Some(now);
        }
        let read = reading.await;
        let mut state = self.state();
        let failed = read.as_ref().err().cloned();
        let stored = state.store(read, now);
        match failed {
            Some(failure) => Err(failure),
            None => stored.map(Some),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// What is fresh; or what is not, as long as trying again is pointless.
    fn usable(&self, now: Duration) -> Option<Arc<T>> {
        let (value, at) = self.value.as_ref()?;
        let has_failed = self
            .failure
            .as_ref()
            .is_some_and(|(_, at)| now < *at + PAUSE);
        let limit = if has_failed { LONGEST } else { FRESH };
        (now < *at + limit).then(|| Arc::clone(value))
    }

    fn store(&mut self, read: Result<T, Failure>, now: Duration) -> Result<Arc<T>, Failure> {
        self.tries += 1;
        match read {
            Ok(value) => {
                let value = Arc::new(value);
                self.value = Some((Arc::clone(&value), now));
                self.failure = None;
                Ok(value)
            }
            Err(failure) => {
                self.failure = Some((failure.clone(), now));
                self.usable(now).ok_or(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    async fn fails() -> Result<u32, Failure> {
        Err(Failure::unavailable("down"))
    }

    #[tokio::test]
    async fn it_is_read_again_after_an_hour_and_kept_for_a_day_if_that_fails() {
        let cached = Cached::new();
        assert_eq!(*cached.get(at(0), async { Ok(1) }).await.unwrap(), 1);
        assert_eq!(*cached.get(at(3599), async { Ok(2) }).await.unwrap(), 1);
        assert_eq!(*cached.get(at(3600), fails()).await.unwrap(), 1);
        assert_eq!(
            *cached.get(at(3601), async { Ok(2) }).await.unwrap(),
            1,
            "a pause"
        );
        assert_eq!(*cached.get(at(3661), async { Ok(2) }).await.unwrap(), 2);
        assert!(cached.get(at(3661 + 24 * 3600), fails()).await.is_err());
    }

    #[tokio::test]
    async fn it_is_renewed_at_most_once_a_minute() {
        let cached = Cached::new();
        let first = cached.get(at(0), async { Ok(1) }).await.unwrap();
        let second = cached
            .renew(at(1), &first, async { Ok(2) })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(*second, 2);
        let seen = cached.renew(at(2), &first, async { Ok(3) }).await.unwrap();
        assert_eq!(seen.as_deref(), Some(&2), "it is newer than what was seen");
        assert_eq!(
            cached
                .renew(at(60), &second, async { Ok(3) })
                .await
                .unwrap(),
            None
        );
        assert!(cached.renew(at(61), &second, fails()).await.is_err());
        assert_eq!(
            cached
                .renew(at(62), &second, async { Ok(3) })
                .await
                .unwrap(),
            None
        );
        assert_eq!(
            *cached.get(at(63), fails()).await.unwrap(),
            2,
            "nothing is lost"
        );
    }

    #[tokio::test]
    async fn all_who_wait_share_one_reading_and_its_failure() {
        let cached = Cached::<u32>::new();
        let readings = AtomicU32::new(0);
        let reading = || async {
            readings.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            fails().await
        };
        let (a, b, c) = tokio::join!(
            cached.get(at(0), reading()),
            cached.get(at(0), reading()),
            cached.get(at(0), reading())
        );
        assert!(a.is_err() && b.is_err() && c.is_err());
        assert_eq!(readings.load(Ordering::Relaxed), 1);
        assert!(cached.get(at(0), async { Ok(1) }).await.is_ok());
    }
}
