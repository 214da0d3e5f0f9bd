-- What remains to be done where a window has to be opened, or a budget may have
-- nothing left. Answers the position of the first budget that cannot be charged,
-- from 1, and the milliseconds until it may be tried again.
local max_names = tonumber(ARGV[1])
for index = 2, last do
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
return granted()
