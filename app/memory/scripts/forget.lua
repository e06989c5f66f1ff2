-- Forgets processes that are gone and whose contacts were freed.
--
-- Guarantee: a process that beat again meanwhile is not forgotten.
--
-- KEYS 1 processes  2 places
-- ARGV 1… process ids
--
-- Returns 1
for _, process in ipairs(ARGV) do
  if redis.call('ZSCORE', KEYS[1], process) == '0' then
    redis.call('ZREM', KEYS[1], process)
    redis.call('HDEL', KEYS[2], process)
  end
end
return 1
