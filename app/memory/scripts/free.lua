-- Frees contacts whose turn belonged to a process that is gone: they are due at once.
--
-- Guarantee: a lease of a process that is alive, or that never beat, stays. The next claim of a freed contact counts a crash, see `claim`.
--
-- KEYS 1 due  2 processes  3… leases
-- ARGV 1… contact ids, in the order of the leases
--
-- Returns how many were freed
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local freed = 0

for i, contact in ipairs(ARGV) do
  local lease = KEYS[i + 2]
  local process = string.match(redis.call('GET', lease) or '', '^(%S+) ')
  if process and redis.call('ZSCORE', KEYS[2], process) == '0' then
    redis.call('DEL', lease)
    redis.call('ZADD', KEYS[1], now, contact)
    freed = freed + 1
  end
end
return freed
