-- Counts what waits.
--
-- KEYS 1 due  2 dead
--
-- Returns {contacts with work, those of them that are due, dead letters}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return { redis.call('ZCARD', KEYS[1]), redis.call('ZCOUNT', KEYS[1], '-inf', now), redis.call('XLEN', KEYS[2]) }
