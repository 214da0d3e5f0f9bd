-- KEYS[2]: a key that is written, to see that it can be.
redis.call('SET', KEYS[2], '', 'PX', 60000)
sweep(1000, now())
