//! Batches without a server.

use super::*;

const LONG: Duration = Duration::from_secs(5);

/// Executes batches as a function does.
struct Executing<F>(F);

#[async_trait]
impl<F, W, A> ExecuteBatch<u32, A> for Executing<F>
where
    F: Fn(Vec<Pending<u32, A>>) -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send,
    A: Send + 'static,
{
    async fn execute_batch(&self, batch: Vec<Pending<u32, A>>) {
        (self.0)(batch).await;
    }
}

/// A batcher that answers with the size of the batch, after a moment.
fn sizes() -> Batcher<u32, usize> {
    Batcher::start(
        LONG,
        Executing(|batch: Vec<Pending<u32, usize>>| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let size = batch.len();
            for pending in batch {
                pending.answer(size);
            }
        }),
    )
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
    let execute = move |batch: Vec<Pending<u32, ()>>| {
        let note = Arc::clone(&note);
        async move {
            for pending in batch {
                note.lock().await.push(pending.request);
                tokio::time::sleep(Duration::from_millis(200)).await;
                pending.answer(());
            }
        }
    };
    let batcher = Arc::new(Batcher::start(LONG, Executing(execute)));
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
    let short = Duration::from_millis(50);
    let dropping = Executing(|batch: Vec<Pending<u32, ()>>| async { drop(batch) });
    let lost = Batcher::start(short, dropping).ask(1).await;
    assert_eq!(lost, Err(NoAnswer::NotExecuted));
    let silent = Executing(|batch: Vec<Pending<u32, ()>>| async {
        std::future::pending::<()>().await;
        drop(batch);
    });
    let late = Batcher::start(short, silent).ask(1).await;
    assert_eq!(late, Err(NoAnswer::InTime));
}

#[tokio::test]
async fn a_worker_that_panics_is_replaced() {
    let execute = |batch: Vec<Pending<u32, u32>>| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        for pending in batch {
            assert_ne!(pending.request, 13, "the failpoint of this test");
            let answer = pending.request;
            pending.answer(answer);
        }
    };
    let batcher = Arc::new(Batcher::start(LONG, Executing(execute)));
    for round in 0..3 {
        let first = {
            let batcher = Arc::clone(&batcher);
            tokio::spawn(async move { batcher.ask(13).await })
        };
        tokio::time::sleep(Duration::from_millis(5)).await;
        // These wait behind the batch that panics.
        let behind = tokio::join!(batcher.ask(round), batcher.ask(round + 1));
        let lost = first.await.expect("the asker does not panic");
        assert_eq!(lost, Err(NoAnswer::NotExecuted));
        assert_eq!(behind.0.expect("an answer"), round);
        assert_eq!(behind.1.expect("an answer"), round + 1);
    }
}
