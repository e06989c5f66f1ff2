-- The team says that what a contact writes is no spam: they are answered again.
--
-- Guarantee: the state of a blocked contact does not expire; nor does that of one with work.
--
-- KEYS 1 state  2 spam  3 due
-- ARGV 1 until when it holds (unix ms)   2 idle time after which the memory expires (ms)   3 contact id
--
-- Returns 1
redis.call('HDEL', KEYS[1], 'throttled')
redis.call('HSET', KEYS[1], 'excused', ARGV[1])
redis.call('DEL', KEYS[2])
if not redis.call('ZSCORE', KEYS[3], ARGV[3]) and redis.call('HEXISTS', KEYS[1], 'blocked') == 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
