-- Keeps what happened in a thread beside the contact's messages to us: who owns it, and what another responder said.
--
-- Guarantee: what has an id is kept once. A mark (see `threads.ts`) that is older than the known one changes nothing. A line is remembered
-- as if it had been said here; no message waits, nothing is answered, and the 24 hours are not opened.
--
-- KEYS 1 state  2 history  3 events  4 due  5 seen
-- ARGV 1 id, '' for none   2 mark, 0 for none   3 thread: <channel>:<business>   4 history line (JSON), '' for none   5 tokens of the line
--      6 event (JSON), '' for none   7 most entries in the event stream   8 idle time after which the memory expires (ms)
--      9 contact id   10 how long ids are remembered (ms)
--      11 '1' when the mark is of something that we did: our clock is not the provider's, so it counts right after what is known, if anything is
--
-- Returns 1 when it was kept, 0 when it was kept before
local state, history, seen, owner = KEYS[1], KEYS[2], KEYS[5], 'owner@' .. ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if ARGV[1] ~= '' then
  if redis.call('ZADD', seen, 'NX', now, ARGV[1]) == 0 then return 0 end
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - tonumber(ARGV[10]))
  redis.call('PEXPIRE', seen, ARGV[10])
end
local mark, known = tonumber(ARGV[2]), tonumber(redis.call('HGET', state, owner) or '0')
-- The second of what is known, and in it a word about the ownership by us.
if ARGV[11] == '1' and known > 0 then
  mark = known - known % 4 + 2 + mark % 2
  redis.call('HSET', state, owner, string.format('%d', mark))
elseif mark > known then
  redis.call('HSET', state, owner, ARGV[2])
end
if ARGV[4] ~= '' then
  -- The first line of a history that had expired: what was counted before is gone with it.
  if redis.call('RPUSH', history, ARGV[4]) == 1 then redis.call('HDEL', state, 'tokens') end
  redis.call('HINCRBY', state, 'tokens', ARGV[5])
end
-- Nothing expires while the contact has work.
if not redis.call('ZSCORE', KEYS[4], ARGV[9]) then
  redis.call('PEXPIRE', history, ARGV[8])
  if redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') == 0 then redis.call('PEXPIRE', state, ARGV[8]) end
end
if ARGV[6] ~= '' then redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'event', ARGV[6]) end
return 1
