-- Gives a contact back unanswered: the messages stay in the mailbox.
--
-- Guarantee: only the holder of the lease can give it back.
--
-- KEYS 1 lease  2 due  3 state
-- ARGV 1 turn id   2 when it is due again (unix ms)   3 contact id
--
-- Returns 1 when the lease was the caller's, else 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('HSET', KEYS[3], 'crashes', -1) end
return 1
