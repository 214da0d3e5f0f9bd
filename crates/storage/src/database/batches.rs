//! Group commit: what many ask at the same time is carried out together.
//!
//! Nobody waits for company. While one batch is under way the next requests
//! gather, and then go out together: alone, a request goes out at once; in a
//! crowd, the round trip and the commit are shared.

use std::time::Duration;

use countersign_domain::ports::StoreError;
use tokio::sync::{mpsc, oneshot};

use super::error::unavailable;

/// How many requests make a batch at most.
const LARGEST: usize = 64;
/// How many requests gather before more of them wait.
const CAPACITY: usize = 1024;

/// Takes requests and has them carried out in batches.
pub(super) struct Batcher<A, R> {
    queue: mpsc::Sender<Asked<A, R>>,
    timeout: Duration,
}

/// A request, and where its answer goes.
pub(super) struct Asked<A, R> {
    pub(super) what: A,
    reply: oneshot::Sender<Result<R, StoreError>>,
}

impl<A, R> Asked<A, R> {
    /// Answers. Who does not wait any longer does not hear it.
    pub(super) fn answer(self, answer: Result<R, StoreError>) {
        self.reply.send(answer).ok();
    }
}

impl<A: Send + 'static, R: Send + 'static> Batcher<A, R> {
    /// Has batches carried out by `carry_out`, which answers each request, until
    /// the batcher is dropped. An answer takes `timeout` at most.
    pub(super) fn new<F, W>(timeout: Duration, carry_out: F) -> Self
    where
        F: Fn(Vec<Asked<A, R>>) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        tokio::spawn(work(receiver, carry_out));
        Self {
            queue: sender,
            timeout,
        }
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, what: A) -> Result<R, StoreError> {
        let (reply, answer) = oneshot::channel();
        let answered = async {
            self.queue.send(Asked { what, reply }).await.ok();
            answer.await
        };
        match tokio::time::timeout(self.timeout, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable("the store is closed")),
            Err(_) => Err(unavailable("it did not answer in time")),
        }
    }
}

async fn work<A, R, F, W>(mut queue: mpsc::Receiver<Asked<A, R>>, carry_out: F)
where
    F: Fn(Vec<Asked<A, R>>) -> W,
    W: Future<Output = ()>,
{
    loop {
        let mut batch = Vec::with_capacity(LARGEST);
        let received = queue.recv_many(&mut batch, LARGEST).await;
        if received == 0 {
            return;
        }
        // What nobody waits for is not begun.
        batch.retain(|asked| !asked.reply.is_closed());
        if !batch.is_empty() {
            carry_out(batch).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Mutex;

    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    /// A batcher that answers with the size of the batch, after a moment.
    fn sizes() -> Batcher<u32, usize> {
        Batcher::new(LONG, |batch: Vec<Asked<u32, usize>>| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let size = batch.len();
            for asked in batch {
                asked.answer(Ok(size));
            }
        })
    }

    #[tokio::test]
    async fn one_request_goes_out_alone_and_a_crowd_together() {
        let batcher = Arc::new(sizes());
        assert_eq!(batcher.ask(0).await.expect("an answer"), 1);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..100 {
            let batcher = Arc::clone(&batcher);
            tasks.spawn(async move { batcher.ask(number).await.expect("an answer") });
        }
        let sizes = tasks.join_all().await;
        assert_eq!(sizes.len(), 100);
        assert!(sizes.iter().all(|size| *size <= LARGEST));
        assert!(sizes.iter().any(|size| *size > 30), "{sizes:?}");
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_begun() {
        let begun = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&begun);
        let batcher = Batcher::new(LONG, move |batch: Vec<Asked<u32, ()>>| {
            let note = Arc::clone(&note);
            async move {
                for asked in batch {
                    note.lock().await.push(asked.what);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    asked.answer(Ok(()));
                }
            }
        });
        let batcher = Arc::new(batcher);
        let busy = {
            let batcher = Arc::clone(&batcher);
            tokio::spawn(async move { batcher.ask(0).await })
        };
        // It is under way before the next one is asked.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let given_up = tokio::time::timeout(Duration::from_millis(5), batcher.ask(7)).await;
        assert!(given_up.is_err());
        busy.await.expect("no panic").expect("an answer");
        batcher.ask(3).await.expect("an answer");
        assert_eq!(*begun.lock().await, [0, 3]);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_given_up() {
        let batcher: Batcher<(), ()> = Batcher::new(Duration::from_millis(50), |batch| async {
            drop(batch);
        });
        let lost = batcher.ask(()).await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))));
        let batcher: Batcher<(), ()> = Batcher::new(Duration::from_millis(50), |batch| async {
            std::future::pending::<()>().await;
            drop(batch);
        });
        let late = batcher.ask(()).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))));
    }
}
