-- Charges budgets under a guard.
-- KEYS[1]: as budgets.lua has it. KEYS from 2 on: the budgets, then those of the
-- guard that are always charged, its own, and the shared ones.
-- ARGV[1]: how many names are kept at most. ARGV[2] to ARGV[5]: how many budgets
-- of each of the four kinds there are. ARGV[6]: 1 if the guard records only. Then
-- for each budget its limit, the milliseconds of its window, the counter that the
-- limit grows with, or nothing; its slot, how many before it count, and the
-- share in thousandths.
-- Answers whether all is `spent`, one of the budgets `refused`, or one of the
-- guard's is (`guarded`); its position among the budgets, or among those of the
-- guard without its own; and the milliseconds until it may be tried again, or
-- which of the guard's are charged: 1, its own; 2, the shared ones.
local max_names = tonumber(ARGV[1])
local plain, always, own, shared =
    tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local records_only = ARGV[6] == '1'
local FIRST, PARTS = 7, 6
-- What stands behind all of that.
local behind = FIRST + PARTS * (plain + always + own + shared)

-- The best slots of the counters that were looked at.
local bests = {}

local function best_of(counter, slot, slots)
    if not bests[counter] then
        local fields = {}
        for counted = slot - slots, slot do
            fields[#fields + 1] = whole(counted)
        end
        local counts = redis.pcall('HMGET', COUNTERS .. ':' .. counter, unpack(fields))
        -- What is damaged is as if it was not there: the limit is the least.
        if counts.err then
            drop_counter(counter)
            counts = {}
        end
        local best = 0
        for _, count in ipairs(counts) do
            best = math.max(best, tonumber(count or 0) or 0)
        end
        bests[counter] = best
    end
    return bests[counter]
end

local function limit_of(at)
    local limit, counter = tonumber(ARGV[at]), ARGV[at + 2]
    if counter == '' then
        return limit
    end
    local best = best_of(counter, tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]))
    return math.max(limit, math.floor(best * tonumber(ARGV[at + 5]) / 1000))
end

-- Takes back what was charged to a row of budgets, from the one that was opened
-- first among them.
local function take_back_row(first, last, opened_before)
    for index = first, last do
        take_back(KEYS[index])
    end
    for place = #opened, opened_before + 1, -1 do
        opened[place] = nil
    end
end

-- Charges a row of budgets, or none of them. Answers the position in the row of
-- the first that cannot be charged, from 0, and the milliseconds to wait.
local function charge_row(first, count)
    local opened_before = #opened
    for index = first, first + count - 1 do
        local at = FIRST + PARTS * (index - 2)
        local wait = charge(KEYS[index], limit_of(at), tonumber(ARGV[at + 1]), max_names)
        if wait then
            take_back_row(first, index - 1, opened_before)
            return index - first, wait
        end
    end
    return nil
end

-- What is charged, and what that means for the secret, if there is one.
local function spend_guarded()
    local refused, wait = charge_row(2, plain)
    if refused then
        return {'refused', refused, wait}
    end
    local opened_plain = #opened
    local guards = 2 + plain
    local guarded = charge_row(guards, always)
    if not guarded then
        if own > 0 and not charge_row(guards + always, own) then
            return {'spent', 0, 1}
        end
        local position = charge_row(guards + always + own, shared)
        if not position then
            return {'spent', 0, 2}
        end
        take_back_row(guards, guards + always - 1, opened_plain)
        guarded = always + position
    end
    if not records_only then
        take_back_row(2, 1 + plain, 0)
    end
    return {'guarded', guarded, 0}
end
