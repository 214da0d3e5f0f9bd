//! Reading revocations and signing keys: again and again, at once when another
//! replica tells of a change, and for everybody at once who needs to know.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_domain::use_cases::{ReadRevocations, ReadSigningKeys};
use countersign_domain::{Application, Error};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Reads what other replicas have revoked, and the signing keys.
#[derive(Debug)]
pub(crate) struct FeedReader {
    /// How many readings have begun.
    begun: AtomicU64,
    finished: watch::Sender<Finished>,
    change: Notify,
    question: Notify,
}

/// The last reading that has ended.
#[derive(Debug, Clone, Copy, Default)]
struct Finished {
    /// The number of the reading, from 1.
    number: u64,
    succeeded: bool,
}

/// The longest that one answer of the database may take.
const ANSWER: Duration = Duration::from_secs(2);
/// The longest that a call waits for a reading. One may be under way, and the
/// awaited one follows it.
const WAITING: Duration = Duration::from_secs(4);
/// The pause between two readings, however many changes are told.
const PAUSE_FOR_CHANGES: Duration = Duration::from_millis(10);
/// The pause before a reading that an unknown key id causes, which anybody can
/// write into a token.
const PAUSE_FOR_QUESTIONS: Duration = Duration::from_millis(250);

impl FeedReader {
    /// A reader that has not read yet.
    pub(crate) fn new() -> Self {
        Self {
            begun: AtomicU64::new(0),
            finished: watch::Sender::new(Finished::default()),
            change: Notify::new(),
            question: Notify::new(),
        }
    }

    /// Another replica has changed something, or may have.
    pub(crate) fn changed(&self) {
        self.change.notify_one();
    }

    /// Waits for a reading that began after this call.
    ///
    /// # Errors
    /// Unavailable, if it fails, or at once if the last one did: the next one
    /// is under way by itself.
    pub(crate) async fn read_again(&self) -> Result<(), Error> {
        let begun = self.begun.load(Ordering::SeqCst);
        self.question.notify_one();
        self.wait_for(begun + 1).await
    }

    /// Waits for a reading that ends after this call.
    ///
    /// # Errors
    /// As [`Self::read_again`].
    pub(crate) async fn read(&self) -> Result<(), Error> {
        let finished = self.finished.borrow().number;
        self.change.notify_one();
        self.wait_for(finished + 1).await
    }

    async fn wait_for(&self, number: u64) -> Result<(), Error> {
        let unavailable = || Error::Unavailable("revocations and keys cannot be read".into());
        let mut finished = self.finished.subscribe();
        let last = *finished.borrow();
        if last.number > 0 && !last.succeeded {
            return Err(unavailable());
        }
        let ended = finished.wait_for(|finished| finished.number >= number);
        match timeout(WAITING, ended).await {
            Ok(Ok(finished)) if finished.succeeded => Ok(()),
            _ => Err(unavailable()),
        }
    }

    /// Reads for as long as the runtime lives.
    pub(crate) async fn run(self: Arc<Self>, app: Arc<Application>, period: Duration) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_failing = false;
        loop {
            let for_changes = pin!(sleep(PAUSE_FOR_CHANGES));
            let for_questions = pin!(sleep(PAUSE_FOR_QUESTIONS));
            let outcome = self.read_once(&app).await;
            match &outcome {
                Ok(()) if is_failing => tracing::info!("revocations and keys are read again"),
                Err(error) if !is_failing => {
                    tracing::warn!(%error, "revocations and keys cannot be read; it is tried again");
                }
                Ok(()) | Err(_) => {}
            }
            is_failing = outcome.is_err();
            for_changes.await;
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.change.notified() => {}
                () = self.question.notified() => {
                    tokio::select! {
                        () = for_questions => {}
                        () = self.change.notified() => {}
                    }
                }
            }
        }
    }

    /// Reads both, and tells those who wait. One that fails does not keep the
    /// other from being read.
    pub(crate) async fn read_once(&self, app: &Application) -> Result<(), Error> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let revocations = read_revocations(app).await;
        let keys = in_time(ReadSigningKeys.execute(app)).await;
        let outcome = revocations.and(keys);
        self.finished.send_replace(Finished {
            number,
            succeeded: outcome.is_ok(),
        });
        outcome
    }
}

/// Reads page by page, so that it succeeds however much was revoked.
async fn read_revocations(app: &Application) -> Result<(), Error> {
    let mut reading = Some(in_time(ReadRevocations::begin(app)).await?);
    while let Some(begun) = reading {
        reading = in_time(begun.read_page(app)).await?;
    }
    Ok(())
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let answer = timeout(ANSWER, answer).await;
    answer.unwrap_or_else(|_| {
        Err(Error::Unavailable(
            "the database does not answer in time".into(),
        ))
    })
}
