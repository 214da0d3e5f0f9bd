//! What runs by itself beside the calls: reading revocations, keys, callers and groups,
//! noting which keys of callers are used, delivering messages, rotating keys,
//! deleting what has outlived its use, looking after users, counting refused attempts in
//! the audit log, watching dependencies.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::application::KeyKeeper;
use countersign_domain::model::SealingKey;
use countersign_domain::ports::Clock as _;
use countersign_domain::use_cases::{
    DeleteExpired, DeliverMessages, EnsureSigningKeys, LookAfterUsers, LookedAfter, ReadGroups,
    RotateSigningKeys, Rotated, WriteRefused,
};
use countersign_domain::{Application, Error};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::feed_reader::FeedReader;
use crate::grpc::CallerAuthenticator;
use crate::health::Health;
use crate::metrics;
use crate::notifications::Notifications;

/// What the jobs work with.
#[derive(Clone)]
pub(crate) struct Jobs {
    pub(crate) app: Arc<Application>,
    pub(crate) callers: Arc<CallerAuthenticator>,
    pub(crate) health: Health,
    pub(crate) feed_reader: Arc<FeedReader>,
    pub(crate) notifications: Arc<Notifications>,
    /// Seals the signing keys.
    pub(crate) sealing: SealingKey,
    /// Between two readings of the revocation feed.
    pub(crate) poll_interval: Duration,
}

const CALLERS: Duration = Duration::from_secs(2);
const GROUPS: Duration = Duration::from_secs(2);
const KEY_USES: Duration = Duration::from_secs(60);
const HEALTH: Duration = Duration::from_secs(2);
const KEYS: Duration = Duration::from_secs(5);
const CLEANING: Duration = Duration::from_secs(60);
const USERS: Duration = Duration::from_secs(10);
const REFUSED: Duration = Duration::from_secs(5);
const OUTBOX: Duration = Duration::from_secs(5);
const DELIVERY: Duration = Duration::from_secs(1);
/// Rows that are deleted at once of each kind.
const EXPIRED: u32 = 500;
/// Users who are looked after at once.
const DUE_USERS: u32 = 500;
/// Messages that are sent at once.
const MESSAGES: u32 = 64;

impl Jobs {
    /// Starts all jobs on the current runtime. They end with it.
    pub(crate) fn start(self) {
        let reader = Arc::clone(&self.feed_reader);
        tokio::spawn(reader.run(Arc::clone(&self.app), self.poll_interval));
        let every = |name, period, job: fn(Self) -> JobFuture| {
            let jobs = self.clone();
            tokio::spawn(async move { jobs.repeat(name, period, job).await });
        };
        every("read callers", CALLERS, |jobs| {
            Box::pin(jobs.read_callers())
        });
        every("read groups", GROUPS, |jobs| Box::pin(jobs.read_groups()));
        every("note key uses", KEY_USES, |jobs| {
            Box::pin(jobs.note_key_uses())
        });
        every("watch dependencies", HEALTH, |jobs| {
            Box::pin(jobs.watch_dependencies())
        });
        every("keep signing keys", KEYS, |jobs| {
            Box::pin(jobs.keep_signing_keys())
        });
        every("delete expired rows", CLEANING, |jobs| {
            Box::pin(jobs.delete_expired())
        });
        every("look after users", USERS, |jobs| {
            Box::pin(jobs.look_after_users())
        });
        every("deliver messages", DELIVERY, |jobs| {
            Box::pin(jobs.deliver_messages())
        });
        every("write refused attempts", REFUSED, |jobs| {
            Box::pin(jobs.write_refused())
        });
        every("watch the outbox", OUTBOX, |jobs| {
            Box::pin(jobs.watch_outbox())
        });
    }

    /// Runs a job again and again. A failure is told once when it begins and
    /// once when it is over, not every second.
    async fn repeat(self, name: &'static str, period: Duration, job: fn(Self) -> JobFuture) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_failing = false;
        loop {
            ticks.tick().await;
            match job(self.clone()).await {
                Ok(()) if is_failing => tracing::info!(job = name, "the job works again"),
                Err(error) if !is_failing => {
                    tracing::warn!(job = name, %error, "the job fails; it is tried again");
                }
                Ok(()) | Err(_) => continue,
            }
            is_failing = !is_failing;
        }
    }

    async fn read_callers(self) -> Result<(), Error> {
        self.callers.look_at_the_clock();
        self.callers.replace(self.app.store.callers().await?);
        Ok(())
    }

    async fn read_groups(self) -> Result<(), Error> {
        ReadGroups.execute(&self.app).await
    }

    /// Writes down when the keys of callers were used last.
    pub(crate) async fn note_key_uses(self) -> Result<(), Error> {
        let uses = self.callers.uses_to_note();
        self.app.store.note_key_uses(&uses).await?;
        self.callers.noted(&uses);
        Ok(())
    }

    async fn watch_dependencies(self) -> Result<(), Error> {
        self.health.check(&self.app).await;
        Ok(())
    }

    /// Makes what is missing, and rotates when it is time.
    async fn keep_signing_keys(self) -> Result<(), Error> {
        let app = &*self.app;
        let tokens = &app.settings.tokens;
        let keeper = KeyKeeper {
            store: &*app.store,
            sealing: &self.sealing,
            clock: &*app.clock,
            random: &*app.random,
            algorithm: tokens.algorithm,
            origin: app.origin(),
        };
        EnsureSigningKeys.execute(keeper).await?;
        let rotate = RotateSigningKeys {
            retired_for: tokens.retired_key_ttl(),
            if_older_than: tokens.key_rotation,
            known_after: tokens.feed_bound,
        };
        if rotate.execute(keeper).await? == Rotated::Yes {
            tracing::info!("the next signing key signs now");
            self.feed_reader.changed();
        }
        Ok(())
    }

    async fn delete_expired(self) -> Result<(), Error> {
        let deleted = DeleteExpired { batch: EXPIRED }.execute(&self.app).await?;
        if deleted > 0 {
            tracing::debug!(deleted, "expired rows are deleted");
        }
        Ok(())
    }

    /// Ends suspensions whose time is over, and erases people who have left.
    async fn look_after_users(self) -> Result<(), Error> {
        let look = LookAfterUsers { batch: DUE_USERS };
        let done = look.execute(&self.app).await?;
        if done != LookedAfter::default() {
            let LookedAfter { reinstated, erased } = done;
            tracing::info!(reinstated, erased, "users are looked after");
        }
        Ok(())
    }

    /// Writes down how often attempts were refused.
    pub(crate) async fn write_refused(self) -> Result<(), Error> {
        let left_out = WriteRefused.execute(&self.app).await?;
        if left_out > 0 {
            tracing::warn!(
                left_out,
                "refused attempts at so many accounts that these are not in the audit log"
            );
        }
        Ok(())
    }

    async fn watch_outbox(self) -> Result<(), Error> {
        let backlog = self.app.store.backlog().await?;
        metrics::outbox(backlog, self.app.clock.now());
        Ok(())
    }

    /// Delivers what is queued, and goes on at once when more is queued.
    async fn deliver_messages(self) -> Result<(), Error> {
        let full = MESSAGES as usize;
        loop {
            let deliver = DeliverMessages { batch: MESSAGES };
            let delivered = deliver.execute(&self.app).await?;
            metrics::delivered(&delivered);
            if delivered.settled.len() < full
                && timeout(DELIVERY, self.notifications.message())
                    .await
                    .is_err()
            {
                return Ok(());
            }
        }
    }
}

type JobFuture = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
