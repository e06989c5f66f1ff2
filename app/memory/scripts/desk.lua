-- Records what a person does in the inbox: writes, takes a conversation over, lets the bot answer again.
--
-- Guarantee: the line, the pause of the bot and the event for the archive change together; a line of the same id is recorded once.
--
-- KEYS 1 state  2 history  3 events  4 due
-- ARGV 1 idle time after which the memory expires (ms)   2 event (JSON)   3 most entries in the event stream
--      4 history line (JSON), '' when nothing was written   5 tokens of the line   6 thread: <channel>:<business>
--      7 until when the bot is paused (unix ms); '0' ends the pause, '' leaves it as it is   8 by how much a person's message prolongs it (ms)
--      9 contact id   10 id of the line
--
-- Returns 1 when it was recorded, 0 when a line of this id is among the latest: nothing was changed then
local state, history, events = KEYS[1], KEYS[2], KEYS[3]
local takeover, takeoverMs = 'takeover@' .. ARGV[6], 'takeoverMs@' .. ARGV[6]

-- The same again: the caller did not get the answer, or tries it once more. What could not be sent has left the history.
if ARGV[4] ~= '' then
  for _, line in ipairs(redis.call('LRANGE', history, -50, -1)) do
    if string.find(line, '"id":"' .. ARGV[10] .. '"', 1, true) then return 0 end
  end
end

if ARGV[4] ~= '' then
  -- The first line of a history that had expired: what was counted before is gone with it.
  if redis.call('RPUSH', history, ARGV[4]) == 1 then redis.call('HDEL', state, 'tokens') end
  redis.call('HINCRBY', state, 'tokens', ARGV[5])
end
-- Somebody has come. What was written is not sent yet.
if ARGV[4] == '' then redis.call('HDEL', state, 'handoff@' .. ARGV[6], 'why@' .. ARGV[6], 'told@' .. ARGV[6]) end
redis.call('HDEL', state, 'asked@' .. ARGV[6])
if ARGV[7] == '0' then
  redis.call('HDEL', state, takeover, takeoverMs)
elseif ARGV[7] ~= '' then
  redis.call('HSET', state, takeover, ARGV[7], takeoverMs, ARGV[8])
end
-- Nothing expires while the contact has work.
if not redis.call('ZSCORE', KEYS[4], ARGV[9]) then
  redis.call('PEXPIRE', history, ARGV[1])
  if redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') == 0 then redis.call('PEXPIRE', state, ARGV[1]) end
end
redis.call('XADD', events, 'MAXLEN', '~', ARGV[3], '*', 'event', ARGV[2])
return 1
