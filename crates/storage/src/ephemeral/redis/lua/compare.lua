-- What remains to be done where the guess is wrong, its budget may have no room, or
-- the right one has a reward.
if not has_room then
    local wait = wait_for(budget, limit, window, max_names)
    if wait then
        return {'exhausted', wait}
    end
end
if secret == ARGV[2] then
    local answer = match()
    if reward then
        give(reward)
    end
    return answer
end
charge(budget, limit, window, max_names)
keep_names()
used = used + 1
if used == tries then
    redis.call('DEL', KEYS[2])
else
    -- Behind the mark of a secret, and the series and its length.
    redis.call('SETRANGE', KEYS[2], 5 + #series, struct.pack('>I4', used))
end
return {'differs', tries - used}
