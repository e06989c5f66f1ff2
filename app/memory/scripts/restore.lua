-- Writes the copy of what the archive knows of a contact: block, takeovers, last messages, whether what it writes is no spam.
--
-- Guarantee: what is in the memory already is newer and stays.
--
-- KEYS 1 state  2 history: both are remembered equally long  3 due
-- ARGV 1 idle time after which the memory expires (ms)   2 '1' when the contact is blocked   3 contact id
--      4… field, value, field, value …
--
-- Returns 1
for i = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'standing', 1)
local isDue = redis.call('ZSCORE', KEYS[3], ARGV[3])
if not isDue then redis.call('PEXPIRE', KEYS[2], ARGV[1]) end
if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], 'blocked', 1)
  redis.call('PERSIST', KEYS[1])
elseif not isDue and redis.call('HEXISTS', KEYS[1], 'blocked') == 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1
