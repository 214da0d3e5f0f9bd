//! What the health service says, and why.
//!
//! The server as a whole (the empty name) is SERVING while it takes calls:
//! whether a database answers must not restart it. AuthService serves while it
//! can validate tokens, SessionService while the database answers,
//! VerificationService while the database and the ephemeral store do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_domain::Application;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::metrics;

const AUTH: &str = "countersign.v1.AuthService";
const SESSION: &str = "countersign.v1.SessionService";
const VERIFICATION: &str = "countersign.v1.VerificationService";

/// Sets the status of each service.
#[derive(Clone)]
pub(crate) struct Health {
    reporter: HealthReporter,
    is_draining: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(reporter: HealthReporter) -> Self {
        Self {
            reporter,
            is_draining: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Asks the dependencies and says what follows.
    pub(crate) async fn check(&self, app: &Application) {
        let (store, ephemeral) =
            futures_util::future::join(app.store.ping(), app.ephemeral.ping()).await;
        let can_validate = app
            .feed
            .is_fresh(app.clock.monotonic(), app.settings.tokens.feed_bound)
            || store.is_ok();
        metrics::dependency("database", store.is_ok());
        metrics::dependency("ephemeral", ephemeral.is_ok());
        self.say("", true).await;
        self.say(AUTH, can_validate).await;
        self.say(SESSION, store.is_ok()).await;
        self.say(VERIFICATION, store.is_ok() && ephemeral.is_ok())
            .await;
    }

    /// From now on nothing serves: whoever watches sends its calls elsewhere.
    pub(crate) async fn drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
        for service in ["", AUTH, SESSION, VERIFICATION] {
            self.reporter
                .set_service_status(service, ServingStatus::NotServing)
                .await;
        }
    }

    /// Ends the streams of those who watch: they have been told, and would hold
    /// up the end.
    pub(crate) async fn end_watches(&self) {
        let mut reporter = self.reporter.clone();
        for service in ["", AUTH, SESSION, VERIFICATION] {
            reporter.clear_service_status(service).await;
        }
    }

    async fn say(&self, service: &str, is_serving: bool) {
        let status = if is_serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        self.reporter.set_service_status(service, status).await;
        // A drain that began meanwhile has the last word.
        if self.is_draining.load(Ordering::SeqCst) {
            self.reporter
                .set_service_status(service, ServingStatus::NotServing)
                .await;
        }
    }
}
