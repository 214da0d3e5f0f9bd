//! The queue between callers and hashing threads. It is short on purpose: who
//! would wait for too long is told so at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A bounded queue of jobs.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

struct State<T> {
    jobs: VecDeque<T>,
    closed: bool,
}

/// What a thread finds in the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    /// The job that waited longest.
    Job(T),
    /// Nothing, for as long as the thread was ready to wait.
    Idle,
    /// The end: there will be no more jobs.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                closed: false,
            }),
            ready: Condvar::new(),
            capacity,
        }
    }

    /// Appends a job, and gives it back if the queue is full. A full queue first
    /// loses the jobs that are not `wanted` any more.
    pub(crate) fn push(&self, job: T, wanted: impl Fn(&T) -> bool) -> Result<(), T> {
        let mut state = self.lock();
        if state.jobs.len() >= self.capacity {
            state.jobs.retain(wanted);
        }
        if state.jobs.len() >= self.capacity {
            return Err(job);
        }
        state.jobs.push_back(job);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for a job; for no longer than `patience`, if there is a bound.
    pub(crate) fn next(&self, patience: Option<Duration>) -> Next<T> {
        let idle = |state: &mut State<T>| state.jobs.is_empty() && !state.closed;
        let state = self.lock();
        let mut state = match patience {
            None => self
                .ready
                .wait_while(state, idle)
                .unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                self.ready
                    .wait_timeout_while(state, patience, idle)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        if state.closed {
            return Next::Closed;
        }
        state.jobs.pop_front().map_or(Next::Idle, Next::Job)
    }

    /// Ends the queue. The jobs in it are dropped.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.ready.notify_all();
    }

    /// How many jobs wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// The state is whole between any two statements, so a panic elsewhere does
    /// not spoil it.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_PATIENCE: Option<Duration> = Some(Duration::ZERO);

    #[test]
    fn a_full_queue_gives_the_job_back() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1, |_| true), Ok(()));
        assert_eq!(queue.push(2, |_| true), Ok(()));
        assert_eq!(queue.push(3, |_| true), Err(3));
        assert_eq!(queue.next(NO_PATIENCE), Next::Job(1));
        assert_eq!(queue.push(3, |_| true), Ok(()));
    }

    #[test]
    fn a_full_queue_loses_what_nobody_wants() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1, |_| true), Ok(()));
        assert_eq!(queue.push(2, |_| true), Ok(()));
        assert_eq!(queue.push(3, |job| *job != 1), Ok(()));
        assert_eq!(queue.next(NO_PATIENCE), Next::Job(2));
        assert_eq!(queue.next(NO_PATIENCE), Next::Job(3));
        assert_eq!(queue.next(NO_PATIENCE), Next::Idle);
    }

    #[test]
    fn a_closed_queue_wakes_who_waits() {
        let queue = Queue::<u8>::new(2);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.next(None));
            queue.close();
            assert_eq!(waiting.join().expect("a thread"), Next::Closed);
        });
    }
}
