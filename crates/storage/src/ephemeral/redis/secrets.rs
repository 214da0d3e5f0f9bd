//! Values with a secret on Redis, and their series.
//!
//! The latest of a series is a string: the key of the value. Scripts reach the
//! value by it, and the budget of a secret by its name, though no caller has
//! named them, which Redis Cluster lets pass in one slot.

use std::sync::LazyLock;
use std::time::Duration;

use countersign_domain::ports::{
    Budget, Comparison, EphemeralError, Exchange, Guard, GuardedSpending, Guess, Secret, Spending,
};
use deadpool_redis::redis::cmd;

use super::budgets;
use super::call::{Lua, StaticLua};
use super::guarded;
use super::handle::{Redis, millis};
use super::kept;
use super::values::key_of;

/// Keys and arguments as the head of `supersede.lua` says.
static SUPERSEDE: StaticLua = LazyLock::new(|| {
    Lua::new(concat!(
        "#!lua\n",
        include_str!("lua/keep_secret.lua"),
        include_str!("lua/supersede.lua"),
        include_str!("lua/spend_open_windows.lua"),
        include_str!("lua/budgets.lua"),
        include_str!("lua/spend.lua"),
    ))
});

/// Keys and arguments as the head of `supersede_guarded.lua` says.
static SUPERSEDE_GUARDED: StaticLua = LazyLock::new(|| {
    Lua::new(concat!(
        "#!lua\n",
        include_str!("lua/budgets.lua"),
        include_str!("lua/counters.lua"),
        include_str!("lua/guarded.lua"),
        include_str!("lua/keep_secret.lua"),
        include_str!("lua/supersede_guarded.lua"),
    ))
});

/// Key: the series'. Answers the latest as it is kept.
static LATEST: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua flags=no-writes
        local key = redis.call('GET', KEYS[1])
        return key and redis.call('GET', key)",
    )
});

/// Keys and arguments as the head of `compare_right.lua` says. Lua does not
/// compare in constant time, and need not: secrets are digests under a key that
/// Redis does not hold.
static COMPARE: StaticLua = LazyLock::new(|| {
    Lua::new(concat!(
        "#!lua\n",
        include_str!("lua/compare_right.lua"),
        include_str!("lua/budgets.lua"),
        include_str!("lua/counters.lua"),
        include_str!("lua/reward.lua"),
        include_str!("lua/compare.lua"),
    ))
});

pub(super) async fn supersede(
    redis: &Redis,
    charged: &[Budget],
    series: &str,
    key: &str,
    secret: Secret<'_>,
    ttl: Duration,
) -> Result<Spending, EphemeralError> {
    let mut supersede = SUPERSEDE.call();
    budgets::add_budgets(redis, charged, &mut supersede);
    supersede.key(redis.key_in("latest", series));
    supersede.key(key_of(redis, key));
    let (kept, of_series) = kept::secret(series, &secret);
    supersede.arg(kept).arg(of_series).arg(millis(ttl));
    let answer = redis.calls.ask("supersede", supersede).await?;
    Ok(budgets::spending(answer))
}

pub(super) async fn supersede_guarded(
    redis: &Redis,
    charged: &[Budget],
    guard: &Guard,
    series: &str,
    key: &str,
    secret: Secret<'_>,
    ttl: Duration,
) -> Result<GuardedSpending, EphemeralError> {
    let mut supersede = SUPERSEDE_GUARDED.call();
    guarded::add_guarded(redis, charged, guard, &mut supersede);
    supersede.key(redis.key_in("latest", series));
    supersede.key(key_of(redis, key));
    let (head, of_series) = kept::rewarded_head(series, &secret);
    supersede.arg(head).arg(kept::raises(&guard.raises));
    supersede.arg(secret.value);
    supersede.arg(of_series).arg(millis(ttl));
    let answer = redis.calls.ask("supersede_guarded", supersede).await?;
    guarded::spending(answer)
}

pub(super) async fn latest(redis: &Redis, series: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
    let mut latest = LATEST.call();
    latest.key(redis.key_in("latest", series));
    let kept: Option<Vec<u8>> = redis.calls.ask("latest", latest).await?;
    Ok(kept.as_deref().and_then(kept::read).and_then(|kept| {
        // Its key may have been taken over.
        let is_of_series = kept.guarded?.series == series.as_bytes();
        is_of_series.then(|| kept.value.to_vec())
    }))
}

pub(super) async fn compare(
    redis: &Redis,
    key: &str,
    guess: Guess<'_>,
    exchange: Option<Exchange<'_>>,
) -> Result<Comparison, EphemeralError> {
    let mut compare = COMPARE.call();
    compare.key(budgets::names_key(redis));
    compare.key(key_of(redis, key));
    compare.arg(redis.max_budget_names);
    compare.arg(guess.secret).arg(guess.at.as_millis());
    compare.arg(guess.tries);
    compare.arg(guess.limit).arg(millis(guess.window));
    if let Some(Exchange { key, head, ttl }) = exchange {
        compare.key(key_of(redis, key));
        compare.arg(head).arg(millis(ttl));
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
    let mut get = cmd("GET");
    get.arg(key_of(redis, key));
    let kept: Option<Vec<u8>> = redis.calls.ask("tries", get).await?;
    let kept = kept.as_deref().and_then(kept::read);
    let guarded = kept.and_then(|kept| kept.guarded);
    Ok(guarded.map_or(0, |guarded| guarded.tries))
}
