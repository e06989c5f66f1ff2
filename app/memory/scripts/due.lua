-- The contacts whose work is due, the longest due first.
--
-- KEYS 1 due
-- ARGV 1 most contacts to return
--
-- Returns contact ids
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
