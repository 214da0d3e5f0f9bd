-- KEYS[2]: the budget. KEYS[3]: the secret. KEYS[4]: the exchange, if there is to
-- be one.
-- ARGV[1]: how many names of budgets are kept at most. ARGV[2] and ARGV[3]: the
-- limit of the budget, and the milliseconds of its window. ARGV[4]: the guess.
-- ARGV[5]: the tries. ARGV[6] and ARGV[7]: the value of the exchange, and how
-- many milliseconds it is kept.
-- Answers what came of it, and the tries left or the milliseconds to wait.
local kept = redis.call('HMGET', KEYS[3], 's', 'n')
local secret, used = kept[1], tonumber(kept[2])
local tries = tonumber(ARGV[5])
if not secret then
    return {'absent', 0}
end
if used >= tries then
    redis.call('DEL', KEYS[3])
    return {'absent', 0}
end
local max_names, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wait = wait_for(KEYS[2], limit, window, max_names)
if wait then
    return {'exhausted', wait}
end
if secret == ARGV[4] then
    redis.call('DEL', KEYS[3])
    if KEYS[4] then
        redis.call('DEL', KEYS[4])
        redis.call('HSET', KEYS[4], 'v', ARGV[6])
        redis.call('PEXPIRE', KEYS[4], ARGV[7])
    end
    return {'matches', 0}
end
charge(KEYS[2], limit, window, max_names)
keep_names()
local remaining = tries - redis.call('HINCRBY', KEYS[3], 'n', 1)
if remaining == 0 then
    redis.call('DEL', KEYS[3])
end
return {'differs', remaining}
