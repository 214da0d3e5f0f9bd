//! How the outcome of work on another runtime comes back to the thread of its
//! call.
//!
//! A future that another thread wakes costs a system call, and each answer would
//! then be written by itself. What is done at about the same time therefore comes
//! back together: one task of the thread takes all that has gathered.

use std::cell::RefCell;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Hands an outcome to the call that waits for it.
type Return = Box<dyn FnOnce() + Send>;

/// How many are taken before other tasks of the thread have their turn.
const AT_ONCE: usize = 256;

thread_local! {
    static RETURNS: RefCell<Option<UnboundedSender<Return>>> = const { RefCell::new(None) };
}

/// Does work on another runtime, to its end even if nobody waits for it any
/// more. Absent: it panicked, or its runtime has ended.
pub(crate) async fn done_on<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (outcome, waiting) = oneshot::channel();
    let returns = returns_to_here();
    runtime.spawn(async move {
        let done = work.await;
        let hand_over = move || drop(outcome.send(done));
        // It fails if the thread of the call has ended: nobody waits.
        returns.send(Box::new(hand_over)).ok();
    });
    waiting.await.ok()
}

/// Where outcomes for calls of this thread are sent.
fn returns_to_here() -> UnboundedSender<Return> {
    RETURNS.with_borrow_mut(|kept| {
        // It is closed if an earlier runtime of this thread has ended.
        if let Some(returns) = kept.as_ref().filter(|returns| !returns.is_closed()) {
            return returns.clone();
        }
        let (returns, gathered) = unbounded_channel();
        tokio::spawn(hand_over(gathered));
        kept.insert(returns).clone()
    })
}

async fn hand_over(mut gathered: UnboundedReceiver<Return>) {
    let mut returns = Vec::with_capacity(AT_ONCE);
    while gathered.recv_many(&mut returns, AT_ONCE).await > 0 {
        returns.drain(..).for_each(|hand_over| hand_over());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio::task::JoinSet;

    use super::*;

    fn work_runtime() -> Runtime {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .expect("a runtime")
    }

    fn of_a_call() -> Runtime {
        Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
    }

    #[test]
    fn each_call_gets_its_own_outcome() {
        let work = work_runtime();
        of_a_call().block_on(async {
            let mut calls = JoinSet::new();
            for number in 0..1_000_u64 {
                let work = work.handle().clone();
                calls.spawn(async move {
                    let doing = async move {
                        tokio::time::sleep(Duration::from_micros(number % 7 * 100)).await;
                        number
                    };
                    (number, done_on(&work, doing).await)
                });
            }
            for (number, outcome) in calls.join_all().await {
                assert_eq!(outcome, Some(number));
            }
        });
    }

    #[test]
    fn a_thread_whose_runtime_has_ended_gets_outcomes_on_its_next_one() {
        let work = work_runtime();
        for number in 0..3 {
            let outcome = of_a_call().block_on(done_on(work.handle(), async move { number }));
            assert_eq!(outcome, Some(number));
        }
    }

    #[test]
    fn a_panic_is_no_outcome_and_the_next_call_has_one() {
        let work = work_runtime();
        of_a_call().block_on(async {
            let panics = async { panic!("of a test") };
            assert_eq!(done_on::<u8>(work.handle(), panics).await, None);
            assert_eq!(done_on(work.handle(), async { 7 }).await, Some(7));
        });
    }

    #[test]
    fn work_that_has_begun_ends_though_its_call_is_gone() {
        let work = work_runtime();
        let ended = Arc::new(AtomicUsize::new(0));
        let noting = Arc::clone(&ended);
        of_a_call().block_on(async {
            let doing = async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                noting.fetch_add(1, Ordering::SeqCst);
            };
            let given_up = done_on(work.handle(), doing);
            let late = tokio::time::timeout(Duration::from_millis(5), given_up).await;
            assert!(late.is_err());
        });
        // Its thread's runtime is gone, too.
        for _ in 0..100 {
            if ended.load(Ordering::SeqCst) == 1 {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the work was dropped");
    }
}
