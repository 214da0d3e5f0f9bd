//! What runs by itself beside the calls: reading revocations, keys and callers,
//! rotating keys, deleting what has outlived its use, watching dependencies.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::use_cases::{DeleteExpired, KeyKeeper, ReadFeed, RotateKeys};
use countersign_domain::{Application, Error};
use tokio::time::{MissedTickBehavior, interval};

use crate::grpc::Gate;
use crate::health::Health;
use crate::metrics;

/// What the jobs work with.
#[derive(Clone)]
pub(crate) struct Jobs {
    pub(crate) app: Arc<Application>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) health: Health,
    /// Between two readings of the revocation feed.
    pub(crate) poll_interval: Duration,
}

const CALLERS: Duration = Duration::from_secs(2);
const HEALTH: Duration = Duration::from_secs(2);
const KEYS: Duration = Duration::from_secs(60);
const CLEANING: Duration = Duration::from_secs(60);
const BATCH: u32 = 500;

impl Jobs {
    /// Starts all jobs on the current runtime. They end with it.
    pub(crate) fn start(self) {
        let every = |period, job: fn(Self) -> JobFuture| {
            let jobs = self.clone();
            tokio::spawn(async move { jobs.repeat(period, job).await });
        };
        every(self.poll_interval, |jobs| {
            Box::pin(async move { jobs.read_feed().await })
        });
        every(CALLERS, |jobs| {
            Box::pin(async move { jobs.read_callers().await })
        });
        every(HEALTH, |jobs| {
            Box::pin(async move { jobs.watch_dependencies().await })
        });
        every(KEYS, |jobs| {
            Box::pin(async move { jobs.rotate_keys().await })
        });
        every(CLEANING, |jobs| Box::pin(async move { jobs.clean().await }));
    }

    /// Runs a job again and again. A failure is told once when it begins and
    /// once when it is over, not every second.
    async fn repeat(self, period: Duration, job: fn(Self) -> JobFuture) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_failing = false;
        loop {
            ticks.tick().await;
            let (name, outcome) = job(self.clone()).await;
            match outcome {
                Ok(()) if is_failing => tracing::info!(job = name, "the job works again"),
                Err(error) if !is_failing => {
                    tracing::warn!(job = name, %error, "the job fails; it is tried again");
                }
                Ok(()) | Err(_) => continue,
            }
            is_failing = !is_failing;
        }
    }

    async fn read_feed(self) -> JobOutcome {
        let outcome = ReadFeed.execute(&self.app).await;
        metrics::revocations(self.app.feed.len());
        ("read revocations", outcome)
    }

    async fn read_callers(self) -> JobOutcome {
        let outcome = self
            .app
            .store
            .callers()
            .await
            .map(|callers| self.gate.replace(callers));
        ("read callers", outcome.map_err(Error::from))
    }

    async fn watch_dependencies(self) -> JobOutcome {
        self.health.check(&self.app).await;
        ("watch dependencies", Ok(()))
    }

    async fn rotate_keys(self) -> JobOutcome {
        let app = &*self.app;
        let tokens = &app.settings.tokens;
        let keeper = KeyKeeper {
            store: &*app.store,
            master_key: &app.master_key,
            clock: &*app.clock,
            random: &*app.random,
            algorithm: tokens.algorithm,
        };
        let rotate = RotateKeys {
            needed_for: tokens.revocation_ttl(),
            if_older_than: tokens.key_rotation,
        };
        let outcome = rotate.execute(keeper).await.map(|rotated| {
            if rotated {
                tracing::info!("the next signing key signs now");
            }
        });
        ("rotate signing keys", outcome)
    }

    async fn clean(self) -> JobOutcome {
        let outcome = DeleteExpired { batch: BATCH }
            .execute(&self.app)
            .await
            .map(|deleted| {
                if deleted > 0 {
                    tracing::debug!(deleted, "expired rows are deleted");
                }
            });
        ("delete expired rows", outcome)
    }
}

type JobOutcome = (&'static str, Result<(), Error>);
type JobFuture = std::pin::Pin<Box<dyn Future<Output = JobOutcome> + Send>>;
