//! Gathers requests into batches and has them executed.
//!
//! Nobody waits for company. While one batch is under way the next requests
//! gather, and then go out together: alone, a request goes out at once; in a
//! crowd, the round trip and the commit are shared.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc, oneshot};
use tracing::error;

/// How many requests make a batch at most.
const LARGEST: usize = 64;
/// How many requests gather before more of them wait.
const CAPACITY: usize = 1024;

/// Takes requests and has them executed in batches.
pub(crate) struct Batcher<Q, A> {
    queue: mpsc::Sender<Pending<Q, A>>,
    patience: Duration,
}

/// Why there is no answer. What became of the request is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// It was given up.
    #[error("the batch was not executed")]
    NotExecuted,
    /// It may still come.
    #[error("it did not answer in time")]
    InTime,
}

/// Executes batches.
#[async_trait]
pub(crate) trait ExecuteBatch<Q, A>: Send + Sync + 'static {
    /// Answers each request. What is dropped without an answer has none.
    async fn execute_batch(&self, batch: Vec<Pending<Q, A>>);
}

/// A request, and where its answer goes.
pub(crate) struct Pending<Q, A> {
    pub(crate) request: Q,
    reply: oneshot::Sender<A>,
}

impl<Q, A> Pending<Q, A> {
    /// Answers. Who does not wait any longer does not hear it.
    pub(crate) fn answer(self, answer: A) {
        self.reply.send(answer).ok();
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Has batches executed until the batcher is dropped. An answer is waited
    /// for no longer than `patience`.
    pub(crate) fn start(patience: Duration, executor: impl ExecuteBatch<Q, A>) -> Self {
        let (queue, requests) = mpsc::channel(CAPACITY);
        tokio::spawn(supervise(requests, Arc::new(executor)));
        Self { queue, patience }
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&self, request: Q) -> Result<A, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        let answered = async {
            self.queue.send(Pending { request, reply }).await.ok();
            answer.await
        };
        match tokio::time::timeout(self.patience, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(NoAnswer::NotExecuted),
            Err(_) => Err(NoAnswer::InTime),
        }
    }
}

/// Replaces a worker that panics. The batch that it held has no answer; the
/// requests behind it are the next worker's.
async fn supervise<Q, A>(
    requests: mpsc::Receiver<Pending<Q, A>>,
    executor: Arc<impl ExecuteBatch<Q, A>>,
) where
    Q: Send + 'static,
    A: Send + 'static,
{
    let requests = Arc::new(Mutex::new(requests));
    loop {
        let worker = work(Arc::clone(&requests), Arc::clone(&executor));
        match tokio::spawn(worker).await {
            Err(failure) if failure.is_panic() => {
                error!("a worker that executes batches panicked and is replaced");
            }
            _ => return,
        }
    }
}

async fn work<Q, A>(
    requests: Arc<Mutex<mpsc::Receiver<Pending<Q, A>>>>,
    executor: Arc<impl ExecuteBatch<Q, A>>,
) {
    let mut requests = requests.lock().await;
    loop {
        let mut batch = Vec::with_capacity(LARGEST);
        if requests.recv_many(&mut batch, LARGEST).await == 0 {
            return;
        }
        // What nobody waits for is not begun.
        batch.retain(|pending| !pending.reply.is_closed());
        if !batch.is_empty() {
            executor.execute_batch(batch).await;
        }
    }
}

#[cfg(test)]
mod tests;
