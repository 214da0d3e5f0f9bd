-- KEYS from 2: the budgets. ARGV[1]: how many names are kept at most. Then for
-- each budget its limit and the milliseconds of its window.
-- Answers 0 and 0, or the position of the first budget that cannot be charged,
-- from 1, and the milliseconds until it may be tried again.
local max_names = tonumber(ARGV[1])
for index = 2, #KEYS do
    local limit, window = tonumber(ARGV[2 * index - 2]), tonumber(ARGV[2 * index - 1])
    local wait = charge(KEYS[index], limit, window, max_names)
    if wait then
        for charged = 2, index - 1 do
            take_back(KEYS[charged])
        end
        return {index - 1, wait}
    end
end
keep_names()
return {0, 0}
