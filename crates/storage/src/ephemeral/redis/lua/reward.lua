-- What the right guess at a secret does besides. What is damaged costs nobody the
-- right answer: a counter that cannot be raised is dropped.

local function give_back(name)
    local budget = KEYS[1] .. ':' .. name
    if tonumber(redis.call('GET', budget) or 0) > 0 then
        redis.call('DECR', budget)
    end
end

local function drop(names)
    for _, name in ipairs(names) do
        drop_counter(name)
    end
end

local function raise(name, slot, ttl)
    local counter = COUNTERS .. ':' .. name
    if redis.call('HINCRBY', counter, whole(slot), 1) == 1 then
        -- One odd reading of a clock must not wipe what was learnt: only where
        -- there are too many slots, the furthest goes.
        for _ = MAX_SLOTS + 1, redis.call('HLEN', counter) do
            local furthest, away = nil, -1
            for _, field in ipairs(redis.call('HKEYS', counter)) do
                local from_here = math.abs(tonumber(field) - slot)
                if from_here > away then
                    furthest, away = field, from_here
                end
            end
            redis.call('HDEL', counter, furthest)
        end
    end
    time = time or now()
    redis.call('PEXPIRE', counter, whole(ttl))
    redis.call('ZADD', COUNTERS, whole(time + ttl), name)
    redis.call('PEXPIRE', COUNTERS, whole(ttl + GRACE))
    drop(redis.call('ZRANGE', COUNTERS, '-inf', whole(time), 'BYSCORE', 'LIMIT', 0, 4))
    local beyond = redis.call('ZCARD', COUNTERS) - MAX_COUNTERS
    if beyond > 0 then
        drop(redis.call('ZRANGE', COUNTERS, 0, math.min(beyond, 4) - 1))
    end
end

-- As `kept.rs` writes it.
local function give(reward)
    local count, at = struct.unpack('>I4', reward)
    local name, slot, ttl
    for _ = 1, count do
        name, at = struct.unpack('>I4c0', reward, at)
        pcall(give_back, name)
    end
    count, at = struct.unpack('>I4', reward, at)
    for _ = 1, count do
        name, slot, ttl, at = struct.unpack('>I4c0i8i8', reward, at)
        if not pcall(raise, name, slot, ttl) then
            drop_counter(name)
        end
    end
end
