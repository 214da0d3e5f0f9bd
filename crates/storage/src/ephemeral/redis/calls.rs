//! Asking Redis, within a time.

use std::sync::Arc;

use countersign_domain::ports::EphemeralError;
use deadpool_redis::redis::{FromRedisValue, Value, from_redis_value};
use tracing::Instrument as _;

use super::call::Call;
use super::connection::Connections;
use super::pipelines::Pipelines;
use super::settings::RedisSettings;
use crate::batcher::Batcher;

/// Asks Redis. Calls that are made at the same time share a round trip.
pub(super) struct Calls {
    pub(super) connections: Arc<Connections>,
    batches: Batcher<Call, Result<Value, String>>,
}

impl Calls {
    /// Does not connect yet. To be called in a Tokio runtime, in which the calls
    /// are made.
    pub(super) fn open(settings: &RedisSettings) -> Result<Self, EphemeralError> {
        let connections = Arc::new(Connections::open(settings)?);
        let pipelines = Pipelines {
            connections: Arc::clone(&connections),
        };
        let batches = Batcher::start(settings.timeout, pipelines);
        Ok(Self {
            connections,
            batches,
        })
    }

    /// Asks, within the time.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        verb: &'static str,
        call: impl Into<Call>,
    ) -> Result<T, EphemeralError> {
        let span = tracing::debug_span!("redis", verb);
        let answer = self.batches.ask(call.into()).instrument(span).await;
        let value = match answer {
            Ok(Ok(value)) => value,
            Ok(Err(reason)) => return Err(self.connections.error(&reason)),
            Err(_) => return Err(self.connections.error(&self.connections.no_answer())),
        };
        from_redis_value(value).map_err(|_| {
            self.connections
                .error("an answer of another form was expected")
        })
    }
}
