//! Values on Redis: strings, in the form of `kept.rs`.

use std::time::Duration;

use countersign_domain::ports::EphemeralError;
use deadpool_redis::redis::{Cmd, cmd};

use super::handle::{Redis, millis};
use super::kept;

pub(super) async fn put(
    redis: &Redis,
    key: &str,
    value: &[u8],
    ttl: Duration,
) -> Result<(), EphemeralError> {
    redis.calls.ask("put", set(redis, key, value, ttl)).await
}

pub(super) async fn put_if_absent(
    redis: &Redis,
    key: &str,
    value: &[u8],
    ttl: Duration,
) -> Result<bool, EphemeralError> {
    let mut put = set(redis, key, value, ttl);
    put.arg("NX");
    let done: Option<String> = redis.calls.ask("put_if_absent", put).await?;
    Ok(done.is_some())
}

pub(super) async fn get(redis: &Redis, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
    let mut get = cmd("GET");
    get.arg(key_of(redis, key));
    let kept: Option<Vec<u8>> = redis.calls.ask("get", get).await?;
    Ok(kept.as_deref().and_then(value_of))
}

/// It only gives room back, so Redis does it when its memory is full, too.
pub(super) async fn take(redis: &Redis, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
    let mut take = cmd("GETDEL");
    take.arg(key_of(redis, key));
    let kept: Option<Vec<u8>> = redis.calls.ask("take", take).await?;
    Ok(kept.as_deref().and_then(value_of))
}

fn set(redis: &Redis, key: &str, value: &[u8], ttl: Duration) -> Cmd {
    let mut set = cmd("SET");
    set.arg(key_of(redis, key)).arg(kept::value(value));
    set.arg("PX").arg(millis(ttl));
    set
}

fn value_of(kept: &[u8]) -> Option<Vec<u8>> {
    kept::read(kept).map(|kept| kept.value.to_vec())
}

/// The key of a value.
pub(super) fn key_of(redis: &Redis, key: &str) -> String {
    redis.key_in("kept", key)
}
