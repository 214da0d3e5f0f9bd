//! The queue between callers and hashing threads. It is short on purpose: who
//! would wait for too long is told so at once, before anything is done for them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::backlog::Backlog;

/// What heavy jobs may weigh that wait, for each place. They wait for longer than
/// others, and others do not wait for them.
const HEAVY_PER_PLACE: u32 = 4;

/// A bounded number of places, and the jobs that were put on them.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    /// Wakes who looks for late jobs.
    busy: Condvar,
    capacity: usize,
}

struct State<T> {
    backlog: Backlog<T>,
    /// Places that were taken and hold no job yet.
    held: usize,
    closed: bool,
}

/// A place in the queue without a job. Dropping it frees it.
pub(crate) struct Place<T> {
    queue: Arc<Queue<T>>,
    is_held: bool,
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

impl<T: Clone> Queue<T> {
    pub(crate) fn new(capacity: usize, threads: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                backlog: Backlog::new(threads),
                held: 0,
                closed: false,
            }),
            ready: Condvar::new(),
            busy: Condvar::new(),
            capacity,
        })
    }

    /// Takes a place, if one is free. A full queue first loses the jobs that are
    /// not `wanted` any more.
    pub(crate) fn admit(self: &Arc<Self>, wanted: impl Fn(&T) -> bool) -> Option<Place<T>> {
        let mut state = self.lock();
        if state.taken() >= self.capacity {
            state.backlog.retain(wanted);
        }
        if state.taken() >= self.capacity {
            return None;
        }
        state.held += 1;
        Some(Place {
            queue: Arc::clone(self),
            is_held: true,
        })
    }

    /// Ends the job that the thread has begun, and waits for another; for no
    /// longer than `patience`, if there is a bound. The place of the job is free
    /// from then on.
    pub(crate) fn next(&self, thread: usize, patience: Option<Duration>) -> Next<T> {
        let idle = |state: &mut State<T>| !state.backlog.is_ready() && !state.closed;
        let mut state = self.lock();
        state.backlog.finish(thread);
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
        let next = state.backlog.begin(thread).map_or(Next::Idle, Next::Job);
        // What ended may have been what another waits for.
        if state.backlog.is_ready() {
            self.ready.notify_one();
        }
        next
    }

    /// Waits for a job that is late, as [`Backlog::take_late`] tells; for no
    /// longer than `patience`, if there is a bound.
    pub(crate) fn next_late(&self, tick: Duration, patience: Option<Duration>) -> Next<T> {
        let mut waited = Duration::ZERO;
        let mut state = self.lock();
        loop {
            if state.closed {
                return Next::Closed;
            }
            if let Some(job) = state.backlog.take_late() {
                return Next::Job(job);
            }
            if patience.is_some_and(|patience| waited >= patience) {
                return Next::Idle;
            }
            if patience.is_none() {
                let idle = |state: &mut State<T>| state.backlog.is_empty() && !state.closed;
                state = self
                    .busy
                    .wait_while(state, idle)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            drop(state);
            thread::sleep(tick);
            waited += tick;
            state = self.lock();
            state.backlog.tick();
        }
    }

    /// Ends the queue. The jobs in it are dropped, and those that come later.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.backlog.clear();
        drop(state);
        self.ready.notify_all();
        self.busy.notify_all();
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().backlog.waiting()
    }

    /// What heavy jobs may weigh that wait.
    fn most_heavy(&self) -> u32 {
        u32::try_from(self.capacity)
            .unwrap_or(u32::MAX)
            .saturating_mul(HEAVY_PER_PLACE)
    }

    /// How many places there are.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.lock().backlog.threads()
    }

    /// How many places are taken, with a job or without.
    pub(crate) fn taken(&self) -> usize {
        self.lock().taken()
    }
}

impl<T> Queue<T> {
    /// The state is whole between any two statements, so a panic elsewhere does
    /// not spoil it.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> State<T> {
    fn taken(&self) -> usize {
        self.held + self.backlog.waiting()
    }
}

impl<T: Clone> Place<T> {
    /// Puts a job on the place, behind those that wait already. It takes `weight`
    /// times as long as a new hash; a heavy one behind too many others is not
    /// taken. Says whether it was.
    pub(crate) fn put(mut self, job: T, weight: u32) -> bool {
        let mut state = self.queue.lock();
        // In one step with the job: a place is never counted twice.
        state.held -= 1;
        let load = state.backlog.heavy_load();
        let is_taken = weight <= 1 || load == 0 || load + weight <= self.queue.most_heavy();
        if is_taken && !state.closed {
            state.backlog.push(job, weight);
        }
        drop(state);
        self.is_held = false;
        self.queue.ready.notify_one();
        self.queue.busy.notify_one();
        is_taken
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        if self.is_held {
            self.queue.lock().held -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_PATIENCE: Option<Duration> = Some(Duration::ZERO);

    fn put(queue: &Arc<Queue<u8>>, job: u8) {
        queue.admit(|_| true).expect("a place").put(job, 1);
    }

    #[test]
    fn a_full_queue_admits_nobody_until_a_job_begins() {
        let queue = Queue::new(2, 1);
        put(&queue, 1);
        put(&queue, 2);
        assert!(queue.admit(|_| true).is_none());
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(1));
        put(&queue, 3);
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(2));
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(3));
        assert_eq!((queue.waiting(), queue.taken()), (0, 0));
    }

    #[test]
    fn a_place_counts_from_its_admission_until_it_is_dropped() {
        let queue = Queue::<u8>::new(2, 1);
        let places = [queue.admit(|_| true), queue.admit(|_| true)];
        assert!(places.iter().all(Option::is_some));
        assert!(queue.admit(|_| true).is_none());
        assert_eq!((queue.waiting(), queue.taken()), (0, 2));
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Idle);
        drop(places);
        assert_eq!(queue.taken(), 0);
        put(&queue, 1);
        put(&queue, 2);
    }

    #[test]
    fn jobs_are_done_in_the_order_in_which_they_were_put() {
        let queue = Queue::new(2, 1);
        let first = queue.admit(|_| true).expect("a place");
        let second = queue.admit(|_| true).expect("a place");
        second.put(2, 1);
        first.put(1, 1);
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(2));
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(1));
    }

    #[test]
    fn a_full_queue_loses_what_nobody_wants() {
        let queue = Queue::new(2, 1);
        put(&queue, 1);
        put(&queue, 2);
        queue.admit(|job| *job != 1).expect("a place").put(3, 1);
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(2));
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(3));
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Idle);
    }

    #[test]
    fn a_closed_queue_wakes_who_waits_and_drops_what_comes() {
        let queue = Queue::<Arc<()>>::new(2, 1);
        let place = queue.admit(|_| true).expect("a place");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.next(0, None));
            queue.close();
            assert_eq!(waiting.join().expect("a thread"), Next::Closed);
        });
        let job = Arc::new(());
        place.put(Arc::clone(&job), 1);
        assert_eq!((Arc::strong_count(&job), queue.taken()), (1, 0));
    }

    #[test]
    fn a_job_that_its_thread_does_not_end_is_found_late_and_lost_with_it() {
        let queue = Queue::new(2, 1);
        put(&queue, 1);
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(1));
        let tick = Duration::from_millis(1);
        let late = |patience| queue.next_late(tick, patience);
        assert_eq!(late(NO_PATIENCE), Next::Idle);
        assert_eq!(late(None), Next::Job(1));
        put(&queue, 2);
        assert_eq!(late(None), Next::Job(2));
        assert_eq!(queue.taken(), 0);
        put(&queue, 3);
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(3));
        assert_eq!(late(Some(tick)), Next::Idle);
        queue.close();
        assert_eq!(late(None), Next::Closed);
    }

    #[test]
    fn who_looks_for_late_jobs_sleeps_while_there_is_none() {
        let queue = Queue::new(2, 1);
        thread::scope(|scope| {
            let late = scope.spawn(|| queue.next_late(Duration::from_millis(1), None));
            put(&queue, 1);
            assert_eq!(late.join().expect("a thread"), Next::Job(1));
            let late = scope.spawn(|| queue.next_late(Duration::from_millis(1), None));
            queue.close();
            assert_eq!(late.join().expect("a thread"), Next::Closed);
        });
    }

    #[test]
    fn a_heavy_job_behind_too_many_others_is_not_taken_and_its_place_is_free() {
        let queue = Queue::new(4, 2);
        let put = |job, weight| queue.admit(|_| true).expect("a place").put(job, weight);
        assert!(put(1, 100), "whatever it weighs, one waits");
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(1));
        assert!(put(2, 8) && put(3, 8) && !put(4, 8));
        assert_eq!(queue.taken(), 2);
        assert!(put(5, 1));
        assert_eq!(queue.next(1, NO_PATIENCE), Next::Job(5));
        assert_eq!(queue.next(1, NO_PATIENCE), Next::Idle);
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(2));
    }

    #[test]
    fn a_heavy_job_begins_as_soon_as_it_may() {
        let queue = Queue::new(4, 2);
        let put = |job, weight| queue.admit(|_| true).expect("a place").put(job, weight);
        put(1, 9);
        assert_eq!(queue.next(0, NO_PATIENCE), Next::Job(1));
        put(2, 9);
        put(3, 1);
        thread::scope(|scope| {
            assert_eq!(queue.next(1, NO_PATIENCE), Next::Job(3));
            let waiting = scope.spawn(|| queue.next(1, None));
            put(4, 1);
            let next = [queue.next(0, None), waiting.join().expect("a thread")];
            assert!(next.contains(&Next::Job(2)) && next.contains(&Next::Job(4)));
        });
    }
}
