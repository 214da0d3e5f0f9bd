-- What the scripts that charge budgets share.
--
-- A budget is a number with an end, KEYS[1] .. ':' .. name. KEYS[1] is a sorted
-- set of the names by their ends, in milliseconds by the clock of Redis: it
-- bounds how many there are.

-- More than can be added, so that names that have ended do not pile up.
local SWEPT_PER_KEY = 4
-- How long the set outlives the budget that ends last. Until then whoever is
-- there has swept it: Redis stands still while it drops a large key.
local GRACE = 3600000

local function whole(number)
    return string.format('%.0f', number)
end

local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function sweep(most, time)
    local ended = redis.call('ZRANGE', KEYS[1], '-inf', whole(time), 'BYSCORE', 'LIMIT', 0, most)
    if #ended > 0 then
        redis.call('ZREM', KEYS[1], unpack(ended))
    end
end

-- Known once a window is opened: the time, and how many names there were.
local time, names
-- The windows that this call opens: by key whether it does, their ends and
-- names, and the last end.
local opens, opened, last_end = {}, {}, 0

-- The milliseconds until there may be room for one name more, if there is none.
local function wait_for_room(window, max_names)
    time = time or now()
    if not names then
        sweep(SWEPT_PER_KEY * #KEYS, time)
        names = redis.call('ZCARD', KEYS[1])
    end
    if names + #opened / 2 < max_names then
        return nil
    end
    local next_end = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
    return next_end and math.max(next_end - time, 1) or window
end

-- The milliseconds until a budget may be charged, which has nothing left.
local function wait_for_end(budget, window)
    local left = redis.call('PTTL', budget)
    if left == -1 then
        redis.call('DEL', budget)
        return window
    end
    return math.max(left, 1)
end

-- The milliseconds until one may be charged to a budget, if that is not now.
-- Charges nothing.
local function wait_for(budget, limit, window, max_names)
    local charged = redis.call('GET', budget)
    if tonumber(charged or 0) >= limit then
        return charged and wait_for_end(budget, window) or window
    end
    if charged or redis.call('ZCARD', KEYS[1]) < max_names then
        return nil
    end
    return wait_for_room(window, max_names)
end

-- Charges one to a budget; or charges nothing and answers the milliseconds until
-- it may be tried again.
local function charge(budget, limit, window, max_names)
    local charged = redis.call('INCR', budget)
    if charged > limit then
        redis.call('DECR', budget)
        return wait_for_end(budget, window)
    end
    if charged > 1 then
        return nil
    end
    time = time or now()
    local ends = time + window
    if redis.call('PEXPIREAT', budget, whole(ends), 'NX') == 0 then
        -- All charges of an open window had been given back.
        return nil
    end
    local wait = wait_for_room(window, max_names)
    if wait then
        redis.call('DEL', budget)
        return wait
    end
    opens[budget] = true
    opened[#opened + 1] = whole(ends)
    opened[#opened + 1] = string.sub(budget, #KEYS[1] + 2)
    last_end = math.max(last_end, ends)
    return nil
end

-- Takes back what this call has charged to a budget.
local function take_back(budget)
    if opens[budget] then
        redis.call('DEL', budget)
        opens[budget] = nil
    elseif redis.call('EXISTS', budget) == 1 then
        redis.call('DECR', budget)
    end
end

-- Keeps the names of the windows that this call has opened, when nothing will be
-- taken back any more.
local function keep_names()
    if #opened == 0 then
        return
    end
    redis.call('ZADD', KEYS[1], unpack(opened))
    if names == 0 then
        redis.call('PEXPIREAT', KEYS[1], whole(last_end + GRACE))
    else
        redis.call('PEXPIREAT', KEYS[1], whole(last_end + GRACE), 'GT')
    end
end
