-- Takes conversations that wait for a person and are to be looked after: the team is to be told, or nobody has come in time.
--
-- Guarantee: nobody else gets them for a while; whoever took them and crashed is followed by another one.
--
-- KEYS 1 handoffs
-- ARGV 1 how many at most   2 for how long nobody else gets them (ms)
--
-- Returns the conversations, the longest due first
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, conversation in ipairs(due) do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), conversation) end
return due
