-- KEYS: as guarded.lua has them, then the series', the secret's.
-- ARGV: as guarded.lua has them, then the secret as `kept.rs` writes it, up to its
-- reward; what of the reward raises counters; the value; how many bytes of the
-- secret name the series, and the milliseconds that it is kept.
-- Answers as guarded.lua does.
local answer = spend_guarded()
local what, _, alternative = unpack(answer)
keep_names()
if what == 'spent' or (what == 'guarded' and records_only) then
    local refunds = {}
    local function refund(first, count)
        for index = first, first + count - 1 do
            local name = string.sub(KEYS[index], #KEYS[1] + 2)
            refunds[#refunds + 1] = struct.pack('>I4c0', #name, name)
        end
    end
    if what == 'spent' then
        refund(2 + plain, always)
        if alternative == 1 then
            refund(2 + plain + always, own)
        else
            refund(2 + plain + always + own, shared)
        end
    end
    local reward = struct.pack('>I4', #refunds) .. table.concat(refunds) .. ARGV[behind + 1]
    local kept = ARGV[behind] .. struct.pack('>I4c0', #reward, reward) .. ARGV[behind + 2]
    local of_series, ttl = tonumber(ARGV[behind + 3]), ARGV[behind + 4]
    keep_secret(KEYS[#KEYS - 1], KEYS[#KEYS], kept, of_series, ttl)
end
return answer
