-- KEYS: as spend_open_windows.lua has them, then the series', the secret's.
-- ARGV: as spend_open_windows.lua has them, then the secret as `kept.rs` writes
-- it, how many bytes of it name the series, and the milliseconds that it is kept.
-- Answers as spend.lua does.
local last = #KEYS - 2

-- Keeps the secret once the budgets are charged.
local function granted()
    local series, key, ttl = KEYS[#KEYS - 1], KEYS[#KEYS], ARGV[#ARGV]
    local kept, of_series = ARGV[#ARGV - 2], tonumber(ARGV[#ARGV - 1])
    keep_secret(series, key, kept, of_series, ttl)
    return {0, 0}
end
