//! Puts the adapters behind the ports, as the configuration says.

use std::net::SocketAddr;
use std::sync::Arc;

use countersign_delivery::Router;
use countersign_domain::Application;
use countersign_domain::application::{
    DatabaseClock, ExistingSource, KeyKeeper, KnownGroups, Ports,
};
use countersign_domain::model::{
    ApiKey, GroupId, KeyState, MasterKey, Origin, SealedSigningKey, SealingKey,
};
use countersign_domain::ports::{
    AllCallers, Clock, EphemeralStore, IdentityProviders, MessageSender, Random, Store,
};
use countersign_domain::use_cases::{EnsureGroups, EnsureSigningKeys, ReadGroups};
use countersign_domain::validation::{AccessTokens, Keyring, RevocationFeed, TokenValidator};
use countersign_federation::Federation;
use countersign_legacy::SqlUsers;
use countersign_password::{Argon2Pool, PoolSettings};
use countersign_storage::{Bounds, Database, InProcess, Redis, RedisSettings};

use crate::config::Config;
use crate::config::combinations::{ANOTHER_ALGORITHM, MASTER_KEY_WITHOUT_KEYS};
use crate::data_dir::DataDir;
use crate::feed_reader::FeedReader;
use crate::grpc::{CallerAuthenticator, encode};
use crate::notifications::Notifications;
use crate::senders;
use crate::serve_error::ServeError;
use crate::system::{SystemClock, SystemRandom};

/// What the in-process store keeps at most: codes and proofs of some 100,000
/// people at once, and counters of as many, in some 150 MB.
const IN_PROCESS: Bounds = Bounds {
    values: 200_000,
    budgets: 400_000,
    counters: 50_000,
};

/// The service, ready to be called.
pub(crate) struct Wired {
    pub(crate) app: Arc<Application>,
    /// The store and the hasher of the application, to be read for metrics.
    pub(crate) database: Arc<Database>,
    pub(crate) hasher: Arc<Argon2Pool>,
    /// The sender of the application, likewise.
    pub(crate) router: Option<Arc<Router>>,
    pub(crate) callers: Arc<CallerAuthenticator>,
    /// The key of the gateway of this process.
    pub(crate) gateway_key: Arc<ApiKey>,
    /// The key of its pages for operators, if there are such.
    pub(crate) gateway_operators_key: Option<Arc<ApiKey>>,
    pub(crate) validator: Arc<TokenValidator>,
    pub(crate) feed_reader: Arc<FeedReader>,
    pub(crate) notifications: Arc<Notifications>,
    pub(crate) sealing: SealingKey,
}

/// The configured database.
///
/// # Errors
/// If it cannot be reached.
pub(crate) async fn connect(config: &Config) -> Result<Database, ServeError> {
    Ok(Database::connect(&config.database_settings()).await?)
}

/// Wires the service up. The groups and the revocations are read once before it is
/// ready.
///
/// # Errors
/// What is wrong with a dependency, and what would be right.
pub(crate) async fn wire(config: &Config, data_dir: &DataDir) -> Result<Wired, ServeError> {
    let machine: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let mut settings = config.settings();
    settings.tokens.profiles = config.token_profiles().map_err(ServeError::profiles)?;

    let database = open_database(config).await?;
    let store: Arc<dyn Store> = database.clone();
    let clock = Arc::new(DatabaseClock::start(Arc::clone(&machine), &*store).await?);
    let feed_reader = Arc::new(FeedReader::new());
    let has_keys = !store.signing_keys().await?.is_empty();
    let configured_key = config.keys.master_key.as_ref();
    if !has_keys && data_dir.has_master_key(configured_key) {
        tracing::warn!("{MASTER_KEY_WITHOUT_KEYS}");
    }
    let master_key = data_dir.master_key(configured_key, has_keys, &*random)?;
    let existing = existing_users(config, Arc::clone(&machine)).await?;
    let (ephemeral, notifications) =
        open_ephemeral(config, machine, &master_key, &feed_reader).await?;
    let sealing = master_key.signing_keys();
    let keeper = KeyKeeper {
        store: &*store,
        sealing: &sealing,
        clock: &*clock,
        random: &*random,
        algorithm: settings.tokens.algorithm,
        origin: &Origin::server(),
    };
    keeper.check(&store.signing_keys().await?)?;
    let keys = EnsureSigningKeys.execute(keeper).await?;
    let algorithm = settings.tokens.algorithm;
    let signs_otherwise =
        |key: &SealedSigningKey| key.state == KeyState::Active && key.algorithm != algorithm;
    if keys.iter().any(signs_otherwise) {
        tracing::warn!("{ANOTHER_ALGORITHM}");
    }
    let keyring = Arc::new(Keyring::open(keys, sealing.clone())?);
    let pool = PoolSettings {
        has_digests: config.legacy.has_digests(),
        ..config.passwords.pool()
    };
    let hasher = Argon2Pool::start(pool, Arc::clone(&random))
        .map(Arc::new)
        .map_err(ServeError::Hasher)?;
    let gateway_key = ApiKey::generate(&SystemRandom);
    let gateway_operators_key = config.gateway.operator_role.as_ref();
    let gateway_operators_key = gateway_operators_key.map(|_| ApiKey::generate(&SystemRandom));
    let callers = authenticate(store.callers().await?, config.server.listen, clock.clone())?;
    let mut callers = callers.with_gateway(&gateway_key);
    if let Some(key) = &gateway_operators_key {
        callers = callers.with_gateway_operators(key);
    }
    let feed = Arc::new(RevocationFeed::new());
    let audience = settings.tokens.audiences.first().cloned();
    let validator = TokenValidator::new(
        config.validation.cache_tokens,
        AccessTokens::new(
            &settings.tokens.issuer,
            settings.tokens.leeway,
            Arc::clone(&keyring),
            settings.tokens.profiles.clone(),
        ),
        Arc::clone(&keyring),
        Arc::clone(&feed),
        clock.clone(),
        audience.unwrap_or_default(),
        settings.tokens.feed_bound,
        encode,
    );
    let router = senders::router(config, callers.is_open(), clock.clone())?;
    let sender = router
        .clone()
        .map(|router| router as Arc<dyn MessageSender>);
    let identity_providers = identity_providers(config, &clock)?;
    let ports = Ports {
        store,
        ephemeral,
        clock,
        random,
        hasher: hasher.clone(),
        sender,
        notifier: notifications.clone(),
        existing,
        identity_providers,
    };
    let groups = Arc::new(KnownGroups::new());
    let app = Application::new(ports, &master_key, keyring, feed, groups, settings);
    let made = EnsureGroups.execute(&app).await?;
    for group in made.iter().filter(|group| **group != GroupId::fallback()) {
        tracing::info!(%group, "a group was made that the configuration or users name");
    }
    ReadGroups.execute(&app).await?;
    feed_reader.read_once(&app).await?;
    Ok(Wired {
        app: Arc::new(app),
        database,
        hasher,
        router,
        callers: Arc::new(callers),
        gateway_key: Arc::new(gateway_key),
        gateway_operators_key: gateway_operators_key.map(Arc::new),
        validator: Arc::new(validator),
        feed_reader,
        notifications,
        sealing,
    })
}

/// The existing database whose users are adopted, if one is configured. That it does
/// not answer, or does not fit, keeps nobody out who is known here: it is told.
async fn existing_users(
    config: &Config,
    machine: Arc<dyn Clock>,
) -> Result<Option<ExistingSource>, ServeError> {
    let region = config.identifiers.default_region.0;
    let Some(settings) = config.legacy.settings(region) else {
        return Ok(None);
    };
    let users = SqlUsers::new(&settings, machine).map_err(ServeError::Legacy)?;
    match users.check().await {
        Ok(()) => tracing::info!("users are adopted from {}", users.place()),
        Err(error) => tracing::error!(
            %error,
            "{} cannot be read: who is not known here cannot sign in; see: countersign legacy check",
            users.place()
        ),
    }
    Ok(Some(ExistingSource {
        group: config.legacy.group(),
        users: Arc::new(users),
        format: config.legacy.format(),
    }))
}

/// The providers of sign-ins, if any is configured.
fn identity_providers(
    config: &Config,
    clock: &Arc<DatabaseClock>,
) -> Result<Option<Arc<dyn IdentityProviders>>, ServeError> {
    let providers = config.federation.providers();
    let providers = providers.map_err(|wrong| {
        let wrong = wrong.iter().map(|(key, rule)| format!("{key} {rule}"));
        ServeError::Federation(wrong.collect::<Vec<_>>().join("; "))
    })?;
    if providers.is_empty() {
        return Ok(None);
    }
    let clock: Arc<dyn Clock> = clock.clone();
    let federation = Federation::new(providers, &clock)
        .map_err(|error| ServeError::Federation(error.to_string()))?;
    Ok(Some(Arc::new(federation)))
}

/// The configured database, with its tables up to date.
async fn open_database(config: &Config) -> Result<Arc<Database>, ServeError> {
    let database = connect(config).await?;
    if config.database.migrate {
        database.migrate().await.map_err(ServeError::Migrate)?;
    } else {
        let pending = database.pending_migrations().await;
        let pending = pending.map_err(ServeError::Migrate)?;
        if !pending.is_empty() {
            return Err(ServeError::Unmigrated(pending.len()));
        }
    }
    Ok(Arc::new(database))
}

/// The configured ephemeral store, and what wakes jobs: with Redis those of
/// the other replicas too.
async fn open_ephemeral(
    config: &Config,
    clock: Arc<dyn Clock>,
    master_key: &MasterKey,
    feed_reader: &Arc<FeedReader>,
) -> Result<(Arc<dyn EphemeralStore>, Arc<Notifications>), ServeError> {
    let Some(url) = &config.redis.url else {
        let store = InProcess::new(clock, IN_PROCESS);
        return Ok((Arc::new(store), Arc::new(Notifications::new(None))));
    };
    let settings = RedisSettings {
        scope: master_key.scope(),
        ..RedisSettings::new(url.expose())
    };
    let store = Redis::connect(&settings).await.map_err(ServeError::Redis)?;
    let reader = Arc::clone(feed_reader);
    let changes = store.changes();
    let subscription = changes.subscribe(move || reader.changed());
    let notifications = Notifications::new(Some((changes, subscription)));
    Ok((Arc::new(store), Arc::new(notifications)))
}

fn authenticate(
    callers: AllCallers,
    listen: SocketAddr,
    clock: Arc<dyn Clock>,
) -> Result<CallerAuthenticator, ServeError> {
    let is_loopback = listen.ip().is_loopback();
    if callers.is_empty() && !is_loopback {
        return Err(ServeError::OpenToTheWorld(listen));
    }
    Ok(CallerAuthenticator::new(callers, is_loopback, clock))
}
