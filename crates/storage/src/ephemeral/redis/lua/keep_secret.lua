-- Keeps a secret as `kept.rs` writes it, in place of the latest of its series,
-- which so many of its bytes name.
local function keep_secret(series, key, kept, of_series, ttl)
    redis.call('SET', key, kept, 'PX', ttl)
    local earlier = redis.call('SET', series, key, 'PX', ttl, 'GET')
    if earlier and earlier ~= key then
        local begins = redis.call('GETRANGE', earlier, 0, of_series - 1)
        -- One with a reward differs in its first byte, the mark.
        if string.sub(begins, 2) == string.sub(kept, 2, of_series)
            and (string.sub(begins, 1, 1) == 's' or string.sub(begins, 1, 1) == 'r')
        then
            redis.call('DEL', earlier)
        end
    end
end
