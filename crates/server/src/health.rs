//! What the health service says, and why.
//!
//! The server as a whole (the empty name) is SERVING while it takes calls:
//! whether a database answers must not restart it. AuthService serves while it
//! can validate and sign tokens, Authorization while it can validate them, GroupService, ServiceAccountService and SessionService
//! while the database can be written, FactorService, FederationService, UserService and VerificationService while the ephemeral
//! store can be, too. None of them does on a machine whose clock is far off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_domain::Application;
use countersign_domain::ports::Clock as _;

use crate::health_service::HealthService;
use crate::metrics;

const AUTH: &str = "countersign.v1.AuthService";
const FACTOR: &str = "countersign.v1.FactorService";
const FEDERATION: &str = "countersign.v1.FederationService";
const GROUP: &str = "countersign.v1.GroupService";
const SERVICE_ACCOUNT: &str = "countersign.v1.ServiceAccountService";
const SESSION: &str = "countersign.v1.SessionService";
const USER: &str = "countersign.v1.UserService";
const VERIFICATION: &str = "countersign.v1.VerificationService";
const AUTHORIZATION: &str = "envoy.service.auth.v3.Authorization";

/// Sets the status of each service.
#[derive(Clone)]
pub(crate) struct Health {
    service: HealthService,
    is_draining: Arc<AtomicBool>,
    is_clock_off: Arc<AtomicBool>,
}

/// How far the machine's clock may be off before the replica is not ready.
const MOST_OFF: Duration = Duration::from_secs(60);

impl Health {
    pub(crate) fn new(service: HealthService) -> Self {
        Self {
            service,
            is_draining: Arc::new(AtomicBool::new(false)),
            is_clock_off: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Asks the dependencies and says what follows.
    pub(crate) async fn check(&self, app: &Application) {
        let (store, ephemeral) =
            futures_util::future::join(app.store.ping(), app.ephemeral.ping()).await;
        let (now, bound) = (app.clock.monotonic(), app.settings.tokens.feed_bound);
        let is_fresh = app.feed.is_fresh(now, bound) && app.keyring.is_fresh(now, bound);
        let is_clock_good = self.check_clock(app);
        metrics::dependency("database", store.is_ok());
        metrics::dependency("ephemeral", ephemeral.is_ok());
        self.say("", true);
        self.say(AUTH, is_clock_good && is_fresh && app.keyring.can_sign());
        self.say(AUTHORIZATION, is_clock_good && is_fresh);
        self.say(GROUP, is_clock_good && store.is_ok());
        self.say(SERVICE_ACCOUNT, is_clock_good && store.is_ok());
        self.say(SESSION, is_clock_good && store.is_ok());
        let is_kept = store.is_ok() && ephemeral.is_ok();
        self.say(VERIFICATION, is_clock_good && is_kept);
        self.say(FACTOR, is_clock_good && is_kept);
        self.say(FEDERATION, is_clock_good && is_kept);
        self.say(USER, is_clock_good && is_kept);
    }

    /// Whether the machine's clock is near enough to the database's. The service
    /// goes by the database's; but a machine that is far off is not healthy.
    fn check_clock(&self, app: &Application) -> bool {
        let ahead = app.clock.machine_ahead_by();
        let off = Duration::from_millis(ahead.unsigned_abs());
        metrics::clock_offset(ahead);
        let is_off = off > app.settings.tokens.leeway;
        if self.is_clock_off.swap(is_off, Ordering::Relaxed) != is_off {
            if is_off {
                tracing::warn!(
                    ahead_ms = ahead,
                    "the machine's clock differs from the database's, which is gone by"
                );
            } else {
                tracing::info!("the machine's clock agrees with the database's again");
            }
        }
        off <= MOST_OFF
    }

    /// Says from now on that nothing serves, so that callers go elsewhere.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
        let all = [
            "",
            AUTH,
            FACTOR,
            FEDERATION,
            GROUP,
            SERVICE_ACCOUNT,
            SESSION,
            USER,
            VERIFICATION,
            AUTHORIZATION,
        ];
        for service in all {
            self.service.set(service, false);
        }
    }

    /// Ends the streams of those who watch: they have been told, and would hold
    /// up the end.
    pub(crate) fn end_watches(&self) {
        self.service.end_watches();
    }

    fn say(&self, service: &'static str, is_serving: bool) {
        let is_draining = || self.is_draining.load(Ordering::SeqCst);
        self.service.set(service, is_serving && !is_draining());
        // A drain that began meanwhile has the last word.
        if is_draining() {
            self.service.set(service, false);
        }
    }
}
