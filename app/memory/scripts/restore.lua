-- Writes the copy of what the archive knows of a contact: block, opt-out, takeovers, last messages, whether what it writes is no spam.
--
-- Guarantee: what is in the memory already is newer and stays.
--
-- KEYS 1 state  2 history: both are remembered equally long  3 due
-- ARGV 1 idle time after which the memory expires (ms)   2 '1' when the contact is blocked   3 contact id
--      4 since when they have opted out (unix ms), 0 when they have not
--      5 the thread in which nothing is to be confirmed any more, '' for none
--      6… field, value, field, value …
--
-- Returns 1
for i = 6, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'standing', 1)
if ARGV[5] ~= '' then redis.call('HDEL', KEYS[1], 'confirm@' .. ARGV[5]) end
local isDue = redis.call('ZSCORE', KEYS[3], ARGV[3])
if not isDue then redis.call('PEXPIRE', KEYS[2], ARGV[1]) end
if tonumber(ARGV[4]) > tonumber(redis.call('HGET', KEYS[1], 'optedIn') or '0') then redis.call('HSETNX', KEYS[1], 'optedOut', ARGV[4]) end
if ARGV[2] == '1' then redis.call('HSET', KEYS[1], 'blocked', 1) end
if redis.call('HEXISTS', KEYS[1], 'blocked') + redis.call('HEXISTS', KEYS[1], 'optedOut') > 0 then
  redis.call('PERSIST', KEYS[1])
elseif not isDue then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1
