//! Values on Redis.
//!
//! A value is a hash: `v` is the value; with a secret, `s` is that, `n` the
//! number of wrong guesses, and `o` the key of the series that it belongs to.

use std::sync::LazyLock;
use std::time::Duration;

use countersign_domain::ports::EphemeralError;
use deadpool_redis::redis::cmd;

use super::call::{Lua, StaticLua};
use super::handle::{Redis, millis};

/// Key: the value's. Arguments: value, milliseconds.
static PUT: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'v', ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    )
});

/// Key: the value's. Arguments: value, milliseconds. Answers 1 if it put.
static PUT_IF_ABSENT: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua
        if redis.call('EXISTS', KEYS[1]) == 1 then
            return 0
        end
        redis.call('HSET', KEYS[1], 'v', ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return 1",
    )
});

/// Key: the value's. Answers the value. It only gives room back, so it runs when
/// the memory is full, too.
static TAKE: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua flags=allow-oom
        local value = redis.call('HGET', KEYS[1], 'v')
        redis.call('DEL', KEYS[1])
        return value",
    )
});

pub(super) async fn put(
    redis: &Redis,
    key: &str,
    value: &[u8],
    ttl: Duration,
) -> Result<(), EphemeralError> {
    let mut put = PUT.call();
    put.key(key_of(redis, key));
    put.arg(value).arg(millis(ttl));
    redis.calls.ask("put", put).await
}

pub(super) async fn put_if_absent(
    redis: &Redis,
    key: &str,
    value: &[u8],
    ttl: Duration,
) -> Result<bool, EphemeralError> {
    let mut put = PUT_IF_ABSENT.call();
    put.key(key_of(redis, key));
    put.arg(value).arg(millis(ttl));
    redis.calls.ask("put_if_absent", put).await
}

pub(super) async fn get(redis: &Redis, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
    let mut get = cmd("HGET");
    get.arg(key_of(redis, key)).arg("v");
    redis.calls.ask("get", get).await
}

pub(super) async fn take(redis: &Redis, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
    let mut take = TAKE.call();
    take.key(key_of(redis, key));
    redis.calls.ask("take", take).await
}

/// The key of a value.
pub(super) fn key_of(redis: &Redis, key: &str) -> String {
    redis.key_in("values", key)
}
