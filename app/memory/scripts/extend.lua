-- The heartbeat of a turn: keeps the lease.
--
-- Guarantee: a lease that ran out or passed to another turn is never renewed.
--
-- KEYS 1 lease  2 due
-- ARGV 1 now (unix ms)   2 turn id   3 lease (ms)   4 contact id
--
-- Returns 1 when the lease is still the caller's, else 0
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], tonumber(ARGV[1]) + tonumber(ARGV[3]), ARGV[4])
return 1
