//! Connections to Redis, and how their failures are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_domain::ports::EphemeralError;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo as _, ProtocolVersion, PushInfo, PushKind,
    RedisError, cmd,
};
use deadpool_redis::{Hook, HookError, Manager, Pool, PoolError};
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::settings::{RedisSettings, unusable_url};

/// A connection on which nothing happens is probed after this time, and given up
/// after three probes of a second without an answer.
const IDLE_BEFORE_PROBE: Duration = Duration::from_secs(5);

/// How many calls a connection takes before its callers wait to hand theirs
/// over.
const CALLS_AHEAD: usize = 256;

/// Some connections to one server, each of which carries many calls at once: a
/// connection stays out of the pool for as long as it is good, so that no call
/// waits for the test of one that comes back.
pub(super) struct Connections {
    pool: Pool,
    /// Connects besides the pool, to listen.
    client: Client,
    slots: Box<[Mutex<Option<Connection>>]>,
    next_slot: AtomicUsize,
    /// Connections of an earlier generation are not used any more.
    generation: Arc<AtomicU64>,
    /// Host and port, for errors.
    address: String,
    timeout: Duration,
}

struct Connection {
    pooled: deadpool_redis::Connection,
    generation: u64,
}

/// A connection for one pipeline.
pub(super) struct Lent {
    pub(super) calls: MultiplexedConnection,
    pub(super) generation: u64,
}

impl Connections {
    /// No connection yet: they are made when they are needed.
    pub(super) fn open(settings: &RedisSettings) -> Result<Self, EphemeralError> {
        let unusable = |error: RedisError| unusable_url(&error.to_string());
        let info = settings
            .url
            .expose_secret()
            .into_connection_info()
            .map_err(unusable)?;
        let address = info.addr().to_string();
        let keepalive = TcpKeepalive::new()
            .with_time(IDLE_BEFORE_PROBE)
            .with_interval(Duration::from_secs(1))
            .with_retries(3);
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        // Its third version tells of messages and of the end of a connection.
        let protocol = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let info = info.set_tcp_settings(tcp).set_redis_settings(protocol);
        let generation = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&generation);
        let config = config(move |push| {
            if push == PushKind::Disconnection {
                lost.fetch_add(1, Ordering::AcqRel);
            }
        });
        let manager = Manager::new_with_config(info.clone(), config).map_err(unusable)?;
        let pool = Pool::builder(manager)
            .max_size(settings.max_connections)
            .post_create(Hook::async_fn(|calls, _| Box::pin(require_fitness(calls))))
            .build()
            .map_err(|error| unusable_url(&error.to_string()))?;
        Ok(Self {
            pool,
            client: Client::open(info).map_err(unusable)?,
            slots: (0..settings.max_connections)
                .map(|_| Mutex::default())
                .collect(),
            next_slot: AtomicUsize::new(0),
            generation,
            address,
            timeout: settings.timeout,
        })
    }

    /// A connection besides those that are asked, which listens to a channel.
    /// `on_push` is told of each message and of the end.
    pub(super) async fn subscribe(
        &self,
        channel: &str,
        on_push: impl Fn(PushKind) + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection, EphemeralError> {
        let subscribed = timeout(self.timeout, async {
            let config = config(on_push);
            let connecting = self
                .client
                .get_multiplexed_async_connection_with_config(&config);
            let mut connection = connecting.await?;
            connection.subscribe(channel).await?;
            Ok::<_, RedisError>(connection)
        });
        match subscribed.await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(self.error(&describe_redis(&error))),
            Err(_) => Err(self.error(&self.no_answer())),
        }
    }

    /// Whether the server at the other end of a connection is still there.
    pub(super) async fn probe(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), EphemeralError> {
        let ping = cmd("PING");
        match timeout(self.timeout, ping.query_async(connection)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.error(&describe_redis(&error))),
            Err(_) => Err(self.error(&self.no_answer())),
        }
    }

    /// The connection whose turn it is; a new one, where that is of no use.
    pub(super) async fn lend(&self) -> Result<Lent, PoolError> {
        let slot = self.next_slot.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let mut slot = self.slots[slot].lock().await;
        let generation = self.generation.load(Ordering::Acquire);
        if let Some(connection) = slot.take_if(|kept| kept.generation != generation) {
            // Not back into the pool, which would hand it out again.
            drop(deadpool_redis::Connection::take(connection.pooled));
        }
        let connection = match &mut *slot {
            Some(connection) => connection,
            none => none.insert(Connection {
                pooled: self.pool.get().await?,
                generation,
            }),
        };
        Ok(Lent {
            calls: connection.pooled.as_ref().clone(),
            generation,
        })
    }

    /// Has no connection of this generation used again. Calls that are on their
    /// way end as they may.
    pub(super) fn retire(&self, generation: u64) {
        // If it fails, somebody else has just done it.
        let next = generation + 1;
        self.generation
            .compare_exchange(generation, next, Ordering::AcqRel, Ordering::Relaxed)
            .ok();
    }

    /// The generation whose connections are used.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// How long a verb may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn no_answer(&self) -> String {
        let timeout = self.timeout;
        format!("no answer within {timeout:?}")
    }

    pub(super) fn error(&self, what: &str) -> EphemeralError {
        EphemeralError(format!("Redis at {}: {what}", self.address))
    }
}

/// There is one time limit, around all that a verb needs, and none here.
fn config(on_push: impl Fn(PushKind) + Send + Sync + 'static) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(CALLS_AHEAD)
        .set_push_sender(move |push: PushInfo| {
            on_push(push.kind);
            Ok::<_, RedisError>(())
        })
}

/// Refuses a server that does not know how scripts begin, and one that drops keys
/// when its memory is full. `INFO` is asked, since managed servers forbid
/// `CONFIG`.
async fn require_fitness(calls: &mut MultiplexedConnection) -> Result<(), HookError> {
    let info: String = cmd("INFO")
        .query_async(calls)
        .await
        .map_err(HookError::Backend)?;
    let told = |name: &str| {
        let value = info.lines().find_map(|line| line.strip_prefix(name));
        value.map(str::trim)
    };
    let version = told("redis_version:").unwrap_or_default();
    let major = version.split('.').next().and_then(|v| v.parse().ok());
    if major.is_some_and(|major: u32| major < 7) {
        let unfit = format!("it is of version {version}, and has to be 7 or newer");
        return Err(HookError::message(unfit));
    }
    match told("maxmemory_policy:") {
        Some("noeviction") => Ok(()),
        Some(other) => Err(HookError::message(format!(
            "its maxmemory-policy is {other}, under which budgets and codes get lost; \
             set maxmemory-policy to noeviction"
        ))),
        None => Err(HookError::message(
            "its INFO does not tell the maxmemory-policy, which has to be noeviction",
        )),
    }
}

pub(super) fn describe(failure: &PoolError) -> String {
    match failure {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            describe_redis(error)
        }
        PoolError::PostCreateHook(HookError::Message(message)) => message.to_string(),
        PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified => {
            failure.to_string()
        }
    }
}

/// What Redis itself says may repeat the arguments of a command, and those are
/// nobody's business: its code says enough.
pub(super) fn describe_redis(error: &RedisError) -> String {
    match error.code() {
        Some("OOM") => "its memory is full (OOM)".into(),
        Some(code) => format!("it refused with {code}"),
        None if error.is_io_error() => error.to_string(),
        None => error.category().into(),
    }
}
