-- Gives a contact back unanswered: the messages stay in the mailbox.
--
-- Guarantee: only the holder of the lease can give it back.
--
-- KEYS 1 lease  2 due  3 state
-- ARGV 1 lease of the caller   2 after how long it is due again (ms)   3 contact id
--
-- Returns 1 when the lease was the caller's, else 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[3])
redis.call('HDEL', KEYS[3], 'holders', 'crashes')
return 1
