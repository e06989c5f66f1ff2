-- Records that a contact opted out or agreed again, as somebody of the team was told or another program knows.
--
-- Guarantee: the state of a contact who has opted out does not expire; nor does that of one with work.
--
-- KEYS 1 state  2 history  3 due
-- ARGV 1 'opt-out' or 'opt-in'   2 idle time after which the memory expires (ms)   3 contact id
--
-- Returns 1
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] == 'opt-out' then
  redis.call('HSETNX', KEYS[1], 'optedOut', now)
  redis.call('HDEL', KEYS[1], 'optedIn')
  redis.call('PERSIST', KEYS[1])
else
  redis.call('HDEL', KEYS[1], 'optedOut')
  redis.call('HSET', KEYS[1], 'optedIn', now)
end
if redis.call('ZSCORE', KEYS[3], ARGV[3]) then
  redis.call('PERSIST', KEYS[1])
  return 1
end
if redis.call('HEXISTS', KEYS[1], 'blocked') + redis.call('HEXISTS', KEYS[1], 'optedOut') == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
