-- The heartbeat of a turn: keeps the lease. It is one of its process, too.
--
-- Guarantee: a lease that ran out or passed to another turn is never renewed, nor one of a process that was counted gone: it is freed.
--
-- KEYS 1 lease  2 due  3 processes
-- ARGV 1 lease of the caller: '<process> <turn>'   2 lease (ms)   3 contact id   4 process id
--
-- Returns 1 when the lease is still the caller's, else 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZSCORE', KEYS[3], ARGV[4]) == '0' then
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[2], now, ARGV[3])
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[3])
redis.call('ZADD', KEYS[3], 'XX', now, ARGV[4])
return 1
