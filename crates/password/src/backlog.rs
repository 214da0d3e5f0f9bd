//! The jobs that are not done: those that wait, and the one that each thread has
//! begun; and which of them are late, as their threads get no share of a core.

use std::collections::VecDeque;

/// After how many ticks a job is late. Several short ones rather than a long
/// one: a process that is stopped for a while has lost one of them.
pub(crate) const LATE_TICKS: u32 = 4;

pub(crate) struct Backlog<T> {
    waiting: VecDeque<Entry<T>>,
    /// What each thread has begun.
    begun: Vec<Option<Entry<T>>>,
}

struct Entry<T> {
    job: T,
    /// For how many ticks it has waited, or been under way.
    ticks: u32,
    /// Whether it was found late and begun again elsewhere.
    is_relieved: bool,
}

impl<T: Clone> Backlog<T> {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            begun: (0..threads).map(|_| None).collect(),
        }
    }

    /// Whether all is done.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.begun.iter().all(Option::is_none)
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn push(&mut self, job: T) {
        self.waiting.push_back(Entry::new(job));
    }

    /// Gives the thread the job that waited longest.
    pub(crate) fn begin(&mut self, thread: usize) -> Option<T> {
        let job = self.waiting.pop_front()?.job;
        self.begun[thread] = Some(Entry::new(job.clone()));
        Some(job)
    }

    /// Says that the thread has nothing in hand.
    pub(crate) fn finish(&mut self, thread: usize) {
        self.begun[thread] = None;
    }

    /// Loses the waiting jobs that are not `wanted`.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        self.waiting.retain(|entry| wanted(&entry.job));
    }

    /// Loses the waiting jobs.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Lets a tick pass.
    pub(crate) fn tick(&mut self) {
        let begun = self.begun.iter_mut().flatten();
        for entry in begun.chain(&mut self.waiting) {
            entry.ticks = entry.ticks.saturating_add(1);
        }
    }

    /// Gives a late job: one that was begun and may then be done twice, or if all
    /// of these are late, the one that waited longest. `weight` is how many times
    /// as long as others a job takes.
    ///
    /// However long the queue: while one thread goes on in time, no job that
    /// waits is late.
    pub(crate) fn take_late(&mut self, weight: impl Fn(&T) -> u32) -> Option<T> {
        let begun = self.begun.iter_mut().flatten();
        let late = begun.filter(|entry| !entry.is_relieved && entry.is_late(&weight));
        if let Some(entry) = late.max_by_key(|entry| entry.ticks) {
            entry.is_relieved = true;
            return Some(entry.job.clone());
        }
        let mut begun = self.begun.iter().flatten().peekable();
        let are_threads_stalled = match begun.peek() {
            Some(_) => begun.all(|entry| entry.is_relieved),
            // They do not even begin.
            None => self.waiting.front()?.ticks >= LATE_TICKS,
        };
        if !are_threads_stalled {
            return None;
        }
        self.waiting.pop_front().map(|entry| entry.job)
    }
}

impl<T> Entry<T> {
    fn new(job: T) -> Self {
        Self {
            job,
            ticks: 0,
            is_relieved: false,
        }
    }

    /// The weight may take a while to tell, and few jobs come to that.
    fn is_late(&self, weight: impl Fn(&T) -> u32) -> bool {
        self.ticks >= LATE_TICKS && self.ticks >= LATE_TICKS.saturating_mul(weight(&self.job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(jobs: impl IntoIterator<Item = u8>) -> Backlog<u8> {
        let mut backlog = Backlog::new(2);
        for job in jobs {
            backlog.push(job);
        }
        backlog
    }

    fn pass(backlog: &mut Backlog<u8>, ticks: u32) {
        for _ in 0..ticks {
            backlog.tick();
        }
    }

    fn late(backlog: &mut Backlog<u8>) -> Option<u8> {
        backlog.take_late(|_| 1)
    }

    #[test]
    fn while_threads_go_on_nothing_is_late_however_long_it_waits() {
        let mut backlog = backlog(0..100);
        for expected in 0..100 {
            let thread = usize::from(expected % 2);
            backlog.finish(thread);
            assert_eq!(backlog.begin(thread), Some(expected));
            backlog.tick();
            assert_eq!(late(&mut backlog), None, "{expected}");
        }
        assert_eq!((backlog.waiting(), backlog.is_empty()), (0, false));
        backlog.finish(0);
        backlog.finish(1);
        pass(&mut backlog, 100);
        assert_eq!((late(&mut backlog), backlog.is_empty()), (None, true));
    }

    #[test]
    fn what_is_begun_and_not_finished_in_time_is_late_once() {
        let mut backlog = backlog([1, 2]);
        backlog.begin(0);
        backlog.tick();
        backlog.begin(1);
        pass(&mut backlog, LATE_TICKS - 2);
        assert_eq!(late(&mut backlog), None);
        backlog.tick();
        assert_eq!(late(&mut backlog), Some(1));
        assert_eq!(late(&mut backlog), None);
        backlog.tick();
        assert_eq!(late(&mut backlog), Some(2));
        pass(&mut backlog, 100);
        assert_eq!(late(&mut backlog), None);
    }

    #[test]
    fn the_oldest_of_several_late_ones_comes_first() {
        let mut backlog = backlog([1, 2]);
        backlog.begin(1);
        backlog.tick();
        backlog.begin(0);
        pass(&mut backlog, LATE_TICKS);
        assert_eq!(late(&mut backlog), Some(1));
        assert_eq!(late(&mut backlog), Some(2));
    }

    #[test]
    fn what_waits_is_taken_as_soon_as_all_that_was_begun_is_late() {
        let mut backlog = backlog([1, 2]);
        backlog.begin(0);
        backlog.tick();
        backlog.begin(1);
        pass(&mut backlog, LATE_TICKS);
        backlog.push(3);
        assert_eq!(late(&mut backlog), Some(1));
        assert_eq!(late(&mut backlog), Some(2));
        assert_eq!(late(&mut backlog), Some(3));
        assert_eq!((late(&mut backlog), backlog.waiting()), (None, 0));

        // One thread comes back.
        backlog.push(4);
        backlog.push(5);
        backlog.finish(1);
        assert_eq!(backlog.begin(1), Some(4));
        assert_eq!(late(&mut backlog), None);
    }

    #[test]
    fn what_no_thread_begins_is_late() {
        let mut backlog = backlog([1]);
        pass(&mut backlog, LATE_TICKS - 1);
        assert_eq!(late(&mut backlog), None);
        backlog.tick();
        assert_eq!(late(&mut backlog), Some(1));
    }

    #[test]
    fn a_job_that_takes_longer_has_longer() {
        let mut backlog = backlog([3]);
        backlog.begin(0);
        let weight = |job: &u8| u32::from(*job);
        pass(&mut backlog, 3 * LATE_TICKS - 1);
        assert_eq!(backlog.take_late(weight), None);
        backlog.tick();
        assert_eq!(backlog.take_late(weight), Some(3));
    }
}
