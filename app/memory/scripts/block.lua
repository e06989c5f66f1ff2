-- Blocks a contact, or lifts the block; or records that they opted out of messages, or agreed again.
--
-- Guarantee: the state of a contact who is blocked or has opted out does not expire; nor does that of one with work.
--
-- KEYS 1 state  2 history  3 due
-- ARGV 1 'block', 'unblock', 'opt-out' or 'opt-in'   2 idle time after which the memory expires (ms)   3 contact id
--
-- Returns 1
local state, history = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] == 'block' then
  redis.call('HSET', state, 'blocked', 1)
elseif ARGV[1] == 'unblock' then
  redis.call('HDEL', state, 'blocked')
elseif ARGV[1] == 'opt-out' then
  redis.call('HSETNX', state, 'optedOut', now)
  redis.call('HDEL', state, 'optedIn')
else
  redis.call('HDEL', state, 'optedOut')
  redis.call('HSET', state, 'optedIn', now)
end
local isDue = redis.call('ZSCORE', KEYS[3], ARGV[3])
if isDue or redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') > 0 then
  redis.call('PERSIST', state)
else
  redis.call('PEXPIRE', state, ARGV[2])
end
if not isDue then redis.call('PEXPIRE', history, ARGV[2]) end
return 1
