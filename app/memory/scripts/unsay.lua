-- Takes back a line of a person that could not be sent: the model must not believe that it was said.
--
-- Guarantee: the line leaves the history once, together with the event.
--
-- KEYS 1 state  2 history  3 events
-- ARGV 1 history line (JSON)   2 tokens of the line   3 event (JSON)   4 most entries in the event stream
--
-- Returns 1 when the line was there, else 0: then nothing was changed
if redis.call('LREM', KEYS[2], -1, ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'tokens', -tonumber(ARGV[2]))
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[3])
return 1
