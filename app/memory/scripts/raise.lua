-- Raises the counter of what was spent in a month to what the archive has.
--
-- Guarantee: it never falls. What was counted here and is on its way to the archive stays counted.
--
-- KEYS 1 spent: month → billionths
-- ARGV 1 month   2 billionths that the archive has
--
-- Returns what the counter says now, a text
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(known) >= tonumber(ARGV[2]) then return known end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ARGV[2]
