//! Puts the adapters behind the ports, as the configuration says.

use std::net::SocketAddr;
use std::sync::Arc;

use countersign_delivery::LogSender;
use countersign_domain::model::{Caller, MasterKey};
use countersign_domain::ports::{Clock, EphemeralStore, Random, Store};
use countersign_domain::use_cases::{EnsureKeys, KeyKeeper, ReadFeed};
use countersign_domain::validation::{Keyring, RevocationFeed};
use countersign_domain::{Application, Settings};
use countersign_password::Argon2Pool;
use countersign_storage::{Database, InProcess, Redis, RedisSettings};
use countersign_token::Verifier;

use crate::config::Config;
use crate::data_dir::DataDir;
use crate::grpc::{Gate, Validator, encode_claims};
use crate::serve::ServeError;
use crate::system::{SystemClock, SystemRandom};

/// The most entries of the in-process store: codes, proofs and counters of some
/// 100,000 people at once, in at most some 200 MB.
const IN_PROCESS_ENTRIES: usize = 500_000;

/// The service, ready to be called.
pub(crate) struct Wired {
    pub(crate) app: Arc<Application>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) validator: Arc<Validator>,
}

/// The configured database.
///
/// # Errors
/// If it cannot be reached.
pub(crate) async fn connect(config: &Config) -> Result<Database, ServeError> {
    Ok(Database::connect(&config.database_settings()).await?)
}

/// Wires the service up. The revocations are read once before it is ready.
///
/// # Errors
/// What is wrong with a dependency, and what would be right.
pub(crate) async fn wire(config: &Config, data_dir: &DataDir) -> Result<Wired, ServeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let settings = config.settings();

    let database = connect(config).await?;
    if config.database.migrate {
        database.migrate().await.map_err(ServeError::Migrate)?;
    } else {
        let pending = database
            .pending_migrations()
            .await
            .map_err(ServeError::Migrate)?;
        if !pending.is_empty() {
            return Err(ServeError::Unmigrated(pending.len()));
        }
    }
    let store: Arc<dyn Store> = Arc::new(database);
    let ephemeral: Arc<dyn EphemeralStore> = match &config.redis.url {
        Some(url) => Arc::new(
            Redis::connect(&RedisSettings::new(url.expose()))
                .await
                .map_err(ServeError::Redis)?,
        ),
        None => Arc::new(InProcess::new(Arc::clone(&clock), IN_PROCESS_ENTRIES)),
    };

    let has_keys = !store.signing_keys().await?.is_empty();
    let master_key = data_dir.master_key(config.keys.master_key.as_ref(), has_keys, &*random)?;
    let keyring = open_keyring(&*store, &master_key, &*clock, &*random, &settings).await?;
    let hasher = Argon2Pool::start(config.passwords.pool(), Arc::clone(&random))
        .map_err(ServeError::Hasher)?;

    let gate = open_gate(store.callers().await?, config.server.listen)?;
    let feed = Arc::new(RevocationFeed::new());
    let validator = Validator::new(
        config.validation.cache_tokens,
        Verifier::new(settings.tokens.issuer.clone(), settings.tokens.leeway),
        Arc::clone(&keyring),
        Arc::clone(&feed),
        Arc::clone(&clock),
        settings
            .tokens
            .audiences
            .first()
            .cloned()
            .unwrap_or_default(),
        settings.tokens.feed_bound,
        encode_claims,
    );
    let app = Arc::new(Application {
        store,
        ephemeral,
        clock,
        random,
        hasher: Arc::new(hasher),
        sender: Arc::new(LogSender),
        secrets: master_key.secrets(),
        master_key,
        keyring,
        feed,
        settings,
    });
    ReadFeed.execute(&app).await?;
    Ok(Wired {
        app,
        gate: Arc::new(gate),
        validator: Arc::new(validator),
    })
}

async fn open_keyring(
    store: &dyn Store,
    master_key: &MasterKey,
    clock: &dyn Clock,
    random: &dyn Random,
    settings: &Settings,
) -> Result<Arc<Keyring>, ServeError> {
    let keeper = KeyKeeper {
        store,
        master_key,
        clock,
        random,
        algorithm: settings.tokens.algorithm,
    };
    let keys = EnsureKeys.execute(keeper).await?;
    Ok(Arc::new(Keyring::open(keys, master_key)?))
}

fn open_gate(callers: Vec<Caller>, listen: SocketAddr) -> Result<Gate, ServeError> {
    let is_loopback = listen.ip().is_loopback();
    if callers.is_empty() && !is_loopback {
        return Err(ServeError::OpenToTheWorld(listen));
    }
    Ok(Gate::new(callers, is_loopback))
}
