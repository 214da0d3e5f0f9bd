-- KEYS and ARGV as spend.lua has them. Most charges meet budgets with an open
-- window and something left: then an increment each is all.
local position, is_open = 1, true
while is_open and position < #KEYS do
    position = position + 1
    local charged = redis.call('INCR', KEYS[position])
    is_open = charged > 1 and charged <= tonumber(ARGV[2 * position - 2])
end
if is_open then
    return {0, 0}
end
for index = 2, position do
    redis.call('DECR', KEYS[index])
end
