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
    /// How many times as long as a new hash it takes.
    weight: u32,
    /// For how many ticks it has waited, or been under way.
    ticks: u32,
    /// Whether it was found late and begun again elsewhere.
    is_relieved: bool,
}

/// How many of so many threads may have heavy jobs in hand at the same time: all
/// but one, if there are more.
pub(crate) fn heavy_threads(threads: usize) -> usize {
    threads.saturating_sub(1).max(1)
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

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.begun.len()
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What the heavy jobs that wait weigh.
    pub(crate) fn heavy_load(&self) -> u32 {
        let heavy = self.waiting.iter().filter(|entry| entry.is_heavy());
        heavy.fold(0, |load, entry| load.saturating_add(entry.weight))
    }

    /// Lets a job wait that takes `weight` times as long as a new hash.
    pub(crate) fn push(&mut self, job: T, weight: u32) {
        self.waiting.push_back(Entry::new(job, weight));
    }

    /// Whether a thread would find a job to begin.
    pub(crate) fn is_ready(&self) -> bool {
        self.next().is_some()
    }

    /// Gives the thread the job that waited longest of those that may begin.
    pub(crate) fn begin(&mut self, thread: usize) -> Option<T> {
        let Entry { job, weight, .. } = self.waiting.remove(self.next()?)?;
        self.begun[thread] = Some(Entry::new(job.clone(), weight));
        Some(job)
    }

    /// The place of the job that is to begin next. Heavy ones leave a thread to
    /// the others.
    fn next(&self) -> Option<usize> {
        let begun = self.begun.iter().flatten();
        let heavy = begun.filter(|entry| entry.is_heavy()).count();
        let is_heavy_allowed = heavy < heavy_threads(self.begun.len());
        let may_begin = |entry: &Entry<T>| is_heavy_allowed || !entry.is_heavy();
        self.waiting.iter().position(may_begin)
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
    /// of these are late, the one that waited longest.
    ///
    /// However long the queue: while one thread goes on in time, no job that
    /// waits is late.
    pub(crate) fn take_late(&mut self) -> Option<T> {
        let begun = self.begun.iter_mut().flatten();
        let late = begun.filter(|entry| !entry.is_relieved && entry.is_late());
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
    fn new(job: T, weight: u32) -> Self {
        Self {
            job,
            weight,
            ticks: 0,
            is_relieved: false,
        }
    }

    fn is_late(&self) -> bool {
        self.ticks >= LATE_TICKS.saturating_mul(self.weight.max(1))
    }

    fn is_heavy(&self) -> bool {
        self.weight > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(jobs: impl IntoIterator<Item = u8>) -> Backlog<u8> {
        let mut backlog = Backlog::new(2);
        for job in jobs {
            backlog.push(job, 1);
        }
        backlog
    }

    fn pass(backlog: &mut Backlog<u8>, ticks: u32) {
        for _ in 0..ticks {
            backlog.tick();
        }
    }

    fn late(backlog: &mut Backlog<u8>) -> Option<u8> {
        backlog.take_late()
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
        backlog.push(3, 1);
        assert_eq!(late(&mut backlog), Some(1));
        assert_eq!(late(&mut backlog), Some(2));
        assert_eq!(late(&mut backlog), Some(3));
        assert_eq!((late(&mut backlog), backlog.waiting()), (None, 0));

        // One thread comes back.
        backlog.push(4, 1);
        backlog.push(5, 1);
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
        let mut backlog = Backlog::new(2);
        backlog.push(1, 3);
        backlog.begin(0);
        pass(&mut backlog, 3 * LATE_TICKS - 1);
        assert_eq!(late(&mut backlog), None);
        backlog.tick();
        assert_eq!(late(&mut backlog), Some(1));
    }

    #[test]
    fn heavy_jobs_leave_a_thread_to_the_others_and_have_their_turn() {
        let mut backlog = Backlog::new(3);
        for heavy in [1, 2, 3, 4] {
            backlog.push(heavy, 15);
        }
        assert_eq!((backlog.begin(0), backlog.begin(1)), (Some(1), Some(2)));
        assert!(!backlog.is_ready());
        assert_eq!((backlog.begin(2), backlog.heavy_load()), (None, 30));
        backlog.push(5, 1);
        backlog.push(6, 1);
        assert!(backlog.is_ready());
        assert_eq!(backlog.begin(2), Some(5));
        // What is allowed comes in the order of waiting.
        backlog.finish(0);
        assert_eq!(backlog.begin(0), Some(3));
        backlog.finish(2);
        assert_eq!(backlog.begin(2), Some(6));
        backlog.finish(2);
        assert_eq!(backlog.begin(2), None);
        assert_eq!(backlog.heavy_load(), 15);
    }

    #[test]
    fn the_only_thread_has_heavy_jobs_too() {
        let mut backlog = Backlog::new(1);
        backlog.push(1, 15);
        assert_eq!(backlog.begin(0), Some(1));
    }
}
