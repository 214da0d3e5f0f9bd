-- KEYS[1]: the names of budgets. KEYS[2]: the secret. KEYS[3]: the exchange, if
-- there is to be one.
-- ARGV[1]: how many names of budgets are kept at most. ARGV[2]: the guess.
-- ARGV[3]: when it is made. ARGV[4]: the tries. ARGV[5] and ARGV[6]: the limit of
-- the budget, and the milliseconds of its window. ARGV[7] and ARGV[8]: the head of
-- the exchange, and how many milliseconds it is kept.
-- Answers what came of it, and the tries left or the milliseconds to wait.
local kept = redis.call('GET', KEYS[2])
local mark = kept and string.sub(kept, 1, 1)
if mark ~= 's' and mark ~= 'r' then
    return {'absent', 0}
end
-- As `kept.rs` writes it.
local series, used, expires_at, name, secret, value_at =
    struct.unpack('>I4c0I4i8I4c0I4c0', kept, 2)
local reward
if mark == 'r' then
    reward, value_at = struct.unpack('>I4c0', kept, value_at)
end
local tries = tonumber(ARGV[4])
if tonumber(ARGV[3]) >= expires_at then
    return {'absent', 0}
end
if used >= tries then
    redis.call('DEL', KEYS[2])
    return {'absent', 0}
end
local max_names, limit, window = tonumber(ARGV[1]), tonumber(ARGV[5]), tonumber(ARGV[6])
local budget = KEYS[1] .. ':' .. name

local function match()
    redis.call('DEL', KEYS[2])
    if KEYS[3] then
        redis.call('SET', KEYS[3], 'v' .. ARGV[7] .. string.sub(kept, value_at), 'PX', ARGV[8])
    end
    return {'matches', 0}
end

-- Most guesses are right, and their budgets have room.
local charged = redis.call('GET', budget)
local has_room
if charged then
    has_room = tonumber(charged) < limit
else
    has_room = limit > 0 and redis.call('ZCARD', KEYS[1]) < max_names
end
if has_room and secret == ARGV[2] and not reward then
    return match()
end
