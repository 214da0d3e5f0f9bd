//! The verbs that are more than one command. Each begins its writing with a
//! command that a full or a read-only Redis refuses (but `TAKE` on a full one),
//! so a refusal means that nothing has changed.

use std::sync::LazyLock;

use deadpool_redis::redis::Script;

/// The field of the value.
pub(super) const VALUE: &str = "v";
/// The field of the tries, or of the events.
pub(super) const COUNT: &str = "n";

/// Arguments: value, milliseconds.
pub(super) static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('HSET', KEYS[1], 'v', ARGV[1], 'n', 0)
        redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    )
});

/// Arguments: value, milliseconds. Answers 1 if it put.
pub(super) static PUT_IF_ABSENT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('EXISTS', KEYS[1]) == 1 then
            return 0
        end
        redis.call('HSET', KEYS[1], 'v', ARGV[1], 'n', 0)
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return 1",
    )
});

/// Answers the value.
pub(super) static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.call('HGET', KEYS[1], 'v')
        redis.call('DEL', KEYS[1])
        return value",
    )
});

/// Arguments: limit, milliseconds of the window. Answers the number of the event
/// and 0, or 0 and the milliseconds until the window ends.
pub(super) static COUNT_WITHIN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local count = tonumber(redis.call('HGET', KEYS[1], 'n') or 0)
        if count >= tonumber(ARGV[1]) then
            local left = redis.call('PTTL', KEYS[1])
            if left == -2 then
                left = ARGV[2]
            end
            return {0, math.max(tonumber(left), 1)}
        end
        count = redis.call('HINCRBY', KEYS[1], 'n', 1)
        if redis.call('PTTL', KEYS[1]) == -1 then
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
        end
        return {count, 0}",
    )
});

/// Arguments: guess, tries. Answers what the comparison says and the tries left.
/// Lua compares strings by their address, and Redis compares nothing that is
/// secret: values are digests under a key that it does not hold.
pub(super) static COMPARE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.call('HGET', KEYS[1], 'v')
        if not value then
            return {'absent', 0}
        end
        local left = tonumber(ARGV[2]) - redis.call('HINCRBY', KEYS[1], 'n', 1)
        if left > 0 and value ~= ARGV[1] then
            return {'differs', left}
        end
        redis.call('DEL', KEYS[1])
        if left < 0 then
            return {'absent', 0}
        elseif value == ARGV[1] then
            return {'matches', 0}
        else
            return {'differs', 0}
        end",
    )
});
