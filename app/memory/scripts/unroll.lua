-- Ends a roll that failed: the next turn may try again at once.
--
-- Guarantee: a memory that has expired is not made anew.
--
-- KEYS 1 state
-- ARGV 1 '1' when it failed because of what was folded: that is counted
--
-- Returns 1, or 0 when the memory is gone
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], 'rolling')
if ARGV[1] == '1' then redis.call('HINCRBY', KEYS[1], 'rollFailures', 1) end
return 1
