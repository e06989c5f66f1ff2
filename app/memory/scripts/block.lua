-- Blocks a contact, or lifts the block.
--
-- Guarantee: the state of a contact who is blocked or has opted out does not expire; nor does that of one with work.
--
-- KEYS 1 state  2 history  3 due
-- ARGV 1 '1' to block, '' to lift the block   2 idle time after which the memory expires (ms)   3 contact id
--
-- Returns 1
if ARGV[1] == '1' then
  redis.call('HSET', KEYS[1], 'blocked', 1)
  redis.call('PERSIST', KEYS[1])
else
  redis.call('HDEL', KEYS[1], 'blocked')
end
if redis.call('ZSCORE', KEYS[3], ARGV[3]) then
  redis.call('PERSIST', KEYS[1])
  return 1
end
if redis.call('HEXISTS', KEYS[1], 'blocked') + redis.call('HEXISTS', KEYS[1], 'optedOut') == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
