-- KEYS from 2 to `last`: the budgets. ARGV[1]: how many names are kept at most.
-- Then for each budget its limit and the milliseconds of its window.
-- Most charges meet budgets with an open window and something left: then an
-- increment each is all.
local position, is_open = 1, true
while is_open and position < last do
    position = position + 1
    local charged = redis.call('INCR', KEYS[position])
    is_open = charged > 1 and charged <= tonumber(ARGV[2 * position - 2])
end
if is_open then
    return granted()
end
for index = 2, position do
    redis.call('DECR', KEYS[index])
end
