//! Connections to Redis, and what becomes of their failures.
//!
//! A call is repeated in one case only: when Redis said that it is a replica,
//! which means that nothing was written. After any other failure it is not known
//! what Redis did, or it would do it again.

use std::time::Duration;

use countersign_domain::ports::EphemeralError;
use deadpool_redis::redis::{
    self, AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo as _,
    RedisError, RedisResult, ScriptInvocation, ServerErrorKind, ToRedisArgs,
    aio::MultiplexedConnection,
};
use deadpool_redis::{Connection, Hook, HookError, Manager, Pool, PoolError};

use super::RedisSettings;

/// A command or a call of a script.
pub(super) enum Request<'a> {
    Command(Cmd),
    Script(ScriptInvocation<'a>),
}

/// A pool of connections to one server.
pub(super) struct Connections {
    pool: Pool,
    /// Host and port, for errors.
    address: String,
    timeout: Duration,
}

impl Request<'_> {
    /// Adds an argument.
    pub(super) fn with(mut self, argument: impl ToRedisArgs) -> Self {
        match &mut self {
            Self::Command(command) => drop(command.arg(argument)),
            Self::Script(invocation) => drop(invocation.arg(argument)),
        }
        self
    }

    async fn send<T: FromRedisValue>(&self, connection: &mut Connection) -> RedisResult<T> {
        match self {
            Self::Command(command) => command.query_async(connection).await,
            // A script that Redis does not know is loaded and called again.
            Self::Script(invocation) => invocation.invoke_async(connection).await,
        }
    }
}

impl Connections {
    /// A pool that connects when it is asked.
    pub(super) fn open(settings: &RedisSettings) -> Result<Self, EphemeralError> {
        let unusable = |why: &str| EphemeralError(format!("the URL of Redis is unusable: {why}"));
        let scheme = settings
            .url
            .split_once("://")
            .map_or("", |(scheme, _)| scheme);
        if !["redis", "rediss"].contains(&scheme) {
            return Err(unusable("it must begin with redis:// or rediss://"));
        }
        let info = settings
            .url
            .as_str()
            .into_connection_info()
            .map_err(|error| unusable(&error.to_string()))?;
        let address = info.addr().to_string();
        // There is one time limit, around all that a verb needs.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let manager =
            Manager::new_with_config(info, config).map_err(|error| unusable(&error.to_string()))?;
        let pool = Pool::builder(manager)
            .max_size(settings.max_connections)
            .post_create(Hook::async_fn(|connection, _| {
                Box::pin(require_noeviction(connection))
            }))
            .build()
            .map_err(|error| unusable(&error.to_string()))?;
        Ok(Self {
            pool,
            address,
            timeout: settings.timeout,
        })
    }

    /// Asks, within the time.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        request: &Request<'_>,
    ) -> Result<T, EphemeralError> {
        let answer = tokio::time::timeout(self.timeout, self.ask_a_master(request)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.error(&describe(&error))),
            Err(_) => {
                // Whatever stood still may stand still again.
                self.drop_idle();
                let timeout = self.timeout;
                Err(self.error(&format!("no answer within {timeout:?}")))
            }
        }
    }

    /// Asks, and if the server has become a replica, asks whoever is reached by a
    /// new connection.
    async fn ask_a_master<T: FromRedisValue>(&self, request: &Request<'_>) -> Result<T, PoolError> {
        let mut connection = self.pool.get().await?;
        match request.send(&mut connection).await {
            Err(error) if is_replica(&error) => {
                drop(Connection::take(connection));
                self.drop_idle();
                let mut connection = self.pool.get().await?;
                Ok(request.send(&mut connection).await?)
            }
            answer => Ok(answer?),
        }
    }

    fn drop_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    fn error(&self, what: &str) -> EphemeralError {
        EphemeralError(format!("Redis at {}: {what}", self.address))
    }
}

/// Refuses a server that drops keys when its memory is full. `INFO` is asked,
/// since managed servers forbid `CONFIG`.
async fn require_noeviction(connection: &mut MultiplexedConnection) -> Result<(), HookError> {
    let info: String = redis::cmd("INFO")
        .arg("memory")
        .query_async(connection)
        .await
        .map_err(HookError::Backend)?;
    let policy = info
        .lines()
        .find_map(|line| line.strip_prefix("maxmemory_policy:"))
        .map(str::trim);
    match policy {
        Some("noeviction") => Ok(()),
        Some(other) => Err(HookError::message(format!(
            "its maxmemory-policy is {other}, under which counters and codes get lost; \
             set maxmemory-policy to noeviction"
        ))),
        None => Err(HookError::message(
            "its INFO memory does not tell the maxmemory-policy, which has to be noeviction",
        )),
    }
}

fn is_replica(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

fn describe(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            describe_redis(error)
        }
        PoolError::PostCreateHook(HookError::Message(message)) => message.to_string(),
        PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified => {
            error.to_string()
        }
    }
}

/// What Redis itself says may repeat the arguments of a command, and those are
/// nobody's business: its code says enough.
fn describe_redis(error: &RedisError) -> String {
    match error.code() {
        Some("OOM") => "its memory is full (OOM)".into(),
        Some(code) => format!("it refused with {code}"),
        None if error.is_io_error() => error.to_string(),
        None => error.category().into(),
    }
}
