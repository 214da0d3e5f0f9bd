//! What is read when the metrics are asked for, and at no other time: of the
//! process, its pools and queues, and what it knows of keys and revocations.

use std::sync::Arc;
use std::time::Duration;

use countersign_delivery::Router;
use countersign_domain::Application;
use countersign_domain::model::KeyState;
use countersign_domain::ports::Clock as _;
use countersign_domain::validation::TokenValidator;
use countersign_password::Argon2Pool;
use countersign_storage::Database;
use metrics::{counter, gauge};
use metrics_process::Collector;

use crate::grpc::RpcTable;
use crate::health_service::HealthService;
use crate::metrics::Validations;

/// What there is to read.
pub(crate) struct Readings {
    pub(crate) rpcs: Arc<RpcTable>,
    pub(crate) validations: Arc<Validations>,
    pub(crate) app: Arc<Application>,
    pub(crate) validator: Arc<TokenValidator>,
    pub(crate) database: Arc<Database>,
    pub(crate) hasher: Arc<Argon2Pool>,
    pub(crate) router: Option<Arc<Router>>,
    pub(crate) health: HealthService,
    pub(crate) process: Collector,
}

impl Readings {
    /// Reads all, and sets the metrics. The calls, which are counted without
    /// them, are returned as text.
    pub(crate) fn show(&self) -> String {
        self.process.collect();
        self.validations.show();
        self.show_health();
        self.show_cache();
        self.show_hasher();
        self.show_providers();
        self.show_unverified();
        self.show_database();
        self.show_feed();
        self.show_keys();
        self.rpcs.render_calls()
    }

    fn show_health(&self) {
        gauge!("countersign_ready").set(one_if(self.health.is_serving()));
        for (service, is_serving) in self.health.services() {
            gauge!("countersign_service_serving", "service" => service).set(one_if(is_serving));
        }
    }

    fn show_cache(&self) {
        let cache = self.validator.cache();
        gauge!("countersign_token_cache_entries").set(float(cache.entries as u64));
        gauge!("countersign_token_cache_capacity_entries").set(float(cache.capacity));
        counter!("countersign_token_cache_misses_total").absolute(cache.misses);
    }

    fn show_hasher(&self) {
        let pool = self.hasher.reading();
        gauge!("countersign_password_hashing_waiting").set(float(pool.waiting as u64));
        gauge!("countersign_password_hashing_queue_capacity").set(float(pool.queue as u64));
        gauge!("countersign_password_hashing_running").set(float(pool.running as u64));
        gauge!("countersign_password_hashing_threads").set(float(pool.threads as u64));
        counter!("countersign_password_hashes_total").absolute(pool.hashes);
        counter!("countersign_password_hashing_shed_total").absolute(pool.shed);
    }

    fn show_providers(&self) {
        let readings = self.router.as_ref().map(|router| router.readings());
        for reading in readings.unwrap_or_default() {
            let provider = reading.provider;
            gauge!("countersign_provider_circuit_open", "provider" => provider)
                .set(one_if(reading.is_circuit_open));
            for (outcome, count) in reading.tries {
                counter!("countersign_message_tries_total", "provider" => provider, "outcome" => outcome)
                    .absolute(count);
            }
        }
    }

    fn show_unverified(&self) {
        const REFUSED: &str = "countersign_unverified_messages_refused_total";
        const RECORDED: &str = "countersign_unverified_messages_recorded_total";
        let counts = self.app.limits.unverified();
        for (pool, count) in counts.charged() {
            counter!("countersign_unverified_messages_total", "budgets" => pool.as_str())
                .absolute(count);
        }
        for (rule, count) in counts.refused() {
            counter!(REFUSED, "rule" => rule.as_str()).absolute(count);
        }
        for (rule, count) in counts.recorded() {
            counter!(RECORDED, "rule" => rule.as_str()).absolute(count);
        }
    }

    fn show_database(&self) {
        for pool in self.database.pools() {
            let name = pool.pool;
            for (state, count) in [("idle", pool.idle), ("in_use", pool.in_use)] {
                gauge!("countersign_database_connections", "pool" => name, "state" => state)
                    .set(float(count as u64));
            }
            gauge!("countersign_database_connections_max", "pool" => name)
                .set(float(pool.most as u64));
            gauge!("countersign_database_connection_waiters", "pool" => name)
                .set(float(pool.waiting as u64));
        }
    }

    fn show_feed(&self) {
        let app = &*self.app;
        let now = app.clock.monotonic();
        gauge!("countersign_revocations").set(float(app.feed.len() as u64));
        for (what, age) in [
            ("revocations", app.feed.age(now)),
            ("signing_keys", app.keyring.age(now)),
        ] {
            let seconds = age.map_or(f64::INFINITY, |age| age.as_secs_f64());
            gauge!("countersign_feed_age_seconds", "feed" => what).set(seconds);
        }
    }

    fn show_keys(&self) {
        let app = &*self.app;
        let keys = app.keyring.listed();
        for state in [KeyState::Active, KeyState::Next, KeyState::Retired] {
            let count = keys.iter().filter(|key| key.state == state).count();
            gauge!("countersign_signing_keys", "state" => state.as_str()).set(float(count as u64));
        }
        let damaged = app.keyring.damaged().len();
        gauge!("countersign_signing_keys_damaged").set(float(damaged as u64));
        let made = |state| {
            let key = keys.iter().find(|key| key.state == state)?;
            Some(key.created_at)
        };
        let age = made(KeyState::Active).map(|made| app.clock.now().since(made));
        gauge!("countersign_signing_key_age_seconds")
            .set(age.map_or(f64::NAN, |age| age.as_secs_f64()));
        let tokens = &app.settings.tokens;
        // As it was made in the last rotation, and every replica must know it.
        let after = tokens.key_rotation.max(tokens.feed_bound);
        let rotation = made(KeyState::Next).map(|made| made.plus(after).as_millis());
        let rotation = rotation.and_then(|millis| u64::try_from(millis).ok());
        let rotation = rotation.map(|millis| Duration::from_millis(millis).as_secs_f64());
        gauge!("countersign_signing_key_rotation_timestamp_seconds")
            .set(rotation.unwrap_or(f64::NAN));
    }
}

fn one_if(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and the counts are far below 2^52"
)]
fn float(count: u64) -> f64 {
    count as f64
}
