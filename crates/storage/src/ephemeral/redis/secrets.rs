//! Values with a secret on Redis, and their series.
//!
//! The latest of a series is a string: the key of the value. Scripts reach the
//! value by it though no caller has named it, which Redis Cluster lets pass in
//! one slot.

use std::sync::LazyLock;
use std::time::Duration;

use countersign_domain::ports::{Budget, Comparison, EphemeralError, Exchange, Secret};
use deadpool_redis::redis::cmd;

use super::budgets;
use super::call::{Lua, StaticLua};
use super::handle::{Redis, millis};
use super::values::key_of;

/// Keys: the series', the value's. Arguments: value, secret, milliseconds.
static SUPERSEDE: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua
        redis.call('HSET', KEYS[2], 'v', ARGV[1], 's', ARGV[2], 'n', 0, 'o', KEYS[1])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        local earlier = redis.call('SET', KEYS[1], KEYS[2], 'PX', ARGV[3], 'GET')
        if earlier and earlier ~= KEYS[2] and redis.call('HGET', earlier, 'o') == KEYS[1] then
            redis.call('DEL', earlier)
        end",
    )
});

/// Key: the series'. Answers the value of the latest.
static LATEST: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua flags=no-writes
        local key = redis.call('GET', KEYS[1])
        if not key then
            return false
        end
        local kept = redis.call('HMGET', key, 'v', 'o')
        return kept[2] == KEYS[1] and kept[1]",
    )
});

/// Keys and arguments as the head of `compare.lua` says. Lua does not compare in
/// constant time, and need not: secrets are digests under a key that Redis does
/// not hold.
static COMPARE: StaticLua = LazyLock::new(|| {
    Lua::new(concat!(
        "#!lua\n",
        include_str!("lua/budgets.lua"),
        include_str!("lua/compare.lua"),
    ))
});

pub(super) async fn supersede(
    redis: &Redis,
    series: &str,
    key: &str,
    secret: Secret<'_>,
    ttl: Duration,
) -> Result<(), EphemeralError> {
    let mut supersede = SUPERSEDE.call();
    supersede.key(series_key(redis, series));
    supersede.key(key_of(redis, key));
    supersede.arg(secret.value).arg(secret.secret);
    supersede.arg(millis(ttl));
    redis.calls.ask("supersede", supersede).await
}

pub(super) async fn latest(redis: &Redis, series: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
    let mut latest = LATEST.call();
    latest.key(series_key(redis, series));
    redis.calls.ask("latest", latest).await
}

pub(super) async fn compare(
    redis: &Redis,
    key: &str,
    guess: &[u8],
    tries: u32,
    budget: &Budget,
    exchange: Option<Exchange<'_>>,
) -> Result<Comparison, EphemeralError> {
    let mut compare = COMPARE.call();
    compare.key(budgets::names_key(redis));
    compare.arg(redis.max_budget_names);
    budgets::add_budget(redis, budget, &mut compare);
    compare.key(key_of(redis, key));
    compare.arg(guess).arg(tries);
    if let Some(Exchange { key, value, ttl }) = exchange {
        compare.key(key_of(redis, key));
        compare.arg(value).arg(millis(ttl));
    }
    let (comparison, number): (String, u64) = redis.calls.ask("compare", compare).await?;
    let unknown = || EphemeralError(format!("Redis says that a secret {comparison}"));
    match comparison.as_str() {
        "matches" => Ok(Comparison::Matches),
        "differs" => {
            let remaining = u32::try_from(number).map_err(|_| unknown())?;
            Ok(Comparison::Differs { remaining })
        }
        "absent" => Ok(Comparison::Absent),
        "exhausted" => {
            let retry_after = Duration::from_millis(number);
            Ok(Comparison::Exhausted { retry_after })
        }
        _ => Err(unknown()),
    }
}

pub(super) async fn tries(redis: &Redis, key: &str) -> Result<u32, EphemeralError> {
    let mut tries = cmd("HGET");
    tries.arg(key_of(redis, key)).arg("n");
    let tries: Option<u32> = redis.calls.ask("tries", tries).await?;
    Ok(tries.unwrap_or(0))
}

fn series_key(redis: &Redis, series: &str) -> String {
    redis.key_in("series", series)
}
