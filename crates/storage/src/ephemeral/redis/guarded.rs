//! Budgets under a guard on Redis, and the counters that their limits grow with.

use std::sync::LazyLock;
use std::time::Duration;

use countersign_domain::ports::{
    Alternative, Budget, EphemeralError, Guard, GuardedSpending, LearntBudget,
};

use super::budgets::{key_of, names_key};
use super::call::{Lua, ScriptCall, StaticLua};
use super::handle::{Redis, millis};

/// Keys and arguments as the head of `guarded.lua` says.
static SPEND_GUARDED: StaticLua = LazyLock::new(|| {
    Lua::new(concat!(
        "#!lua\n",
        include_str!("lua/budgets.lua"),
        include_str!("lua/counters.lua"),
        include_str!("lua/guarded.lua"),
        include_str!("lua/spend_guarded.lua"),
    ))
});

pub(super) async fn spend(
    redis: &Redis,
    budgets: &[Budget],
    guard: &Guard,
) -> Result<GuardedSpending, EphemeralError> {
    let mut spend = SPEND_GUARDED.call();
    add_guarded(redis, budgets, guard, &mut spend);
    spending(redis.calls.ask("spend_guarded", spend).await?)
}

/// Keys and arguments of budgets that are to be charged under a guard.
pub(super) fn add_guarded(redis: &Redis, budgets: &[Budget], guard: &Guard, call: &mut ScriptCall) {
    call.key(names_key(redis));
    call.arg(redis.max_budget_names);
    call.arg(budgets.len()).arg(guard.always.len());
    call.arg(guard.own.len()).arg(guard.shared.len());
    call.arg(u8::from(guard.records_only));
    for budget in budgets {
        add(redis, budget, call);
        call.arg("").arg(0).arg(0).arg(0);
    }
    let guarded = guard.always.iter().chain(&guard.own).chain(&guard.shared);
    for LearntBudget { budget, learnt } in guarded {
        add(redis, budget, call);
        call.arg(&learnt.counter).arg(learnt.slot);
        call.arg(learnt.slots).arg(learnt.permille);
    }
}

/// What a script says that charges budgets under a guard.
pub(super) fn spending(
    (what, index, number): (String, usize, u64),
) -> Result<GuardedSpending, EphemeralError> {
    match (what.as_str(), number) {
        ("spent", 1) => Ok(GuardedSpending::Spent(Alternative::Own)),
        ("spent", _) => Ok(GuardedSpending::Spent(Alternative::Shared)),
        ("refused", wait) => Ok(GuardedSpending::Refused {
            index,
            retry_after: Duration::from_millis(wait),
        }),
        ("guarded", _) => Ok(GuardedSpending::Guarded { index }),
        _ => Err(EphemeralError(format!(
            "Redis says that budgets are {what}"
        ))),
    }
}

fn add(redis: &Redis, budget: &Budget, call: &mut ScriptCall) {
    call.key(key_of(redis, budget));
    call.arg(budget.limit).arg(millis(budget.window));
}
