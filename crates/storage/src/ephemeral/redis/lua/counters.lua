-- What the scripts share that count: a counter is a hash of a few slots,
-- COUNTERS .. ':' .. name. COUNTERS is a sorted set of the names by their ends.
-- Where there are too many, those that end first are dropped: limits that grew
-- with them are what they were.
local COUNTERS = string.sub(KEYS[1], 1, -8) .. 'counters'
local MAX_COUNTERS = 100000
local MAX_SLOTS = 32

-- Drops a counter, and the set of names where it is none.
local function drop_counter(name)
    redis.call('DEL', COUNTERS .. ':' .. name)
    if type(redis.pcall('ZREM', COUNTERS, name)) == 'table' then
        redis.call('DEL', COUNTERS)
    end
end
