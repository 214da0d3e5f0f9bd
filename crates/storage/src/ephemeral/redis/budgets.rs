//! Budgets on Redis.
//!
//! A budget is a number, which ends with its window. A sorted set has the names
//! by their ends and bounds how many there are: as in the in-process store each
//! new name has a few removed that have ended, and each ping many. It is touched
//! only when a window is opened, so a charge in an open window is one increment.
//! As long as anybody is there the set does not expire, for which Redis would
//! stand still if it is large.

use std::sync::LazyLock;
use std::time::Duration;

use countersign_domain::ports::{Budget, EphemeralError, Spending};

use super::call::{Lua, ScriptCall, StaticLua};
use super::handle::{Redis, millis};

/// Keys and arguments as the heads of `budgets.lua` and `spend_open_windows.lua`
/// say. Once the budgets are charged, nothing remains to be done.
static SPEND: StaticLua = LazyLock::new(|| {
    Lua::new(concat!(
        "#!lua
        local last = #KEYS
        local function granted() return {0, 0} end\n",
        include_str!("lua/spend_open_windows.lua"),
        include_str!("lua/budgets.lua"),
        include_str!("lua/spend.lua"),
    ))
});

/// Keys: the budgets. It needs no room, so it runs when the memory is full, too.
static REFUND: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua flags=allow-oom
        for _, budget in ipairs(KEYS) do
            if tonumber(redis.call('GET', budget) or 0) > 0 then
                redis.call('DECR', budget)
            end
        end",
    )
});

/// Keys as the heads of `budgets.lua` and `ping.lua` say.
static PING: StaticLua = LazyLock::new(|| {
    Lua::new(concat!(
        "#!lua\n",
        include_str!("lua/budgets.lua"),
        include_str!("lua/ping.lua"),
    ))
});

pub(super) async fn spend(redis: &Redis, budgets: &[Budget]) -> Result<Spending, EphemeralError> {
    if budgets.is_empty() {
        return Ok(Spending::Spent);
    }
    let mut spend = SPEND.call();
    add_budgets(redis, budgets, &mut spend);
    Ok(spending(redis.calls.ask("spend", spend).await?))
}

pub(super) async fn refund(redis: &Redis, budgets: &[Budget]) -> Result<(), EphemeralError> {
    if budgets.is_empty() {
        return Ok(());
    }
    let mut refund = REFUND.call();
    for budget in budgets {
        refund.key(key_of(redis, budget));
    }
    redis.calls.ask("refund", refund).await
}

/// Writes something, and removes names of budgets that have ended.
pub(super) async fn ping(redis: &Redis) -> Result<(), EphemeralError> {
    let mut ping = PING.call();
    ping.key(names_key(redis));
    ping.key(redis.key("ping"));
    redis.calls.ask("ping", ping).await
}

/// The first key of each script that includes `budgets.lua`.
pub(super) fn names_key(redis: &Redis) -> String {
    redis.key("budgets")
}

/// Keys and arguments of budgets that are to be charged.
pub(super) fn add_budgets(redis: &Redis, budgets: &[Budget], call: &mut ScriptCall) {
    call.key(names_key(redis));
    call.arg(redis.max_budget_names);
    for budget in budgets {
        call.key(key_of(redis, budget));
        call.arg(budget.limit).arg(millis(budget.window));
    }
}

/// What a script says that charges budgets.
pub(super) fn spending((refused, wait): (usize, u64)) -> Spending {
    match refused.checked_sub(1) {
        None => Spending::Spent,
        Some(index) => Spending::Refused {
            index,
            retry_after: Duration::from_millis(wait),
        },
    }
}

pub(super) fn key_of(redis: &Redis, budget: &Budget) -> String {
    redis.key_in("budgets", &budget.name)
}
