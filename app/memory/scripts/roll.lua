-- Swaps in a new summary for the oldest lines of the history.
--
-- Guarantee: compare-and-set on the summary's version: the lines that go are exactly those that the summary was made
-- from, because only a roll removes lines, and every roll raises the version.
--
-- KEYS 1 state  2 history  3 due
-- ARGV 1 the version that the summary was made from   2 the new summary   3 how many lines it covers
--      4 the tokens of these lines   5 idle time after which the memory goes (ms)   6 contact id
--
-- Returns 1 when swapped, 0 when another process was faster or the memory has expired
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
if redis.call('LLEN', KEYS[2]) < tonumber(ARGV[3]) then return 0 end
redis.call('LTRIM', KEYS[2], ARGV[3], -1)
redis.call('HSET', KEYS[1], 'summary', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HINCRBY', KEYS[1], 'tokens', -tonumber(ARGV[4]))
redis.call('HDEL', KEYS[1], 'rolling', 'rollFailures')
-- Nothing expires while the contact has work.
if redis.call('ZSCORE', KEYS[3], ARGV[6]) then return 1 end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if redis.call('HEXISTS', KEYS[1], 'blocked') + redis.call('HEXISTS', KEYS[1], 'optedOut') == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return 1
