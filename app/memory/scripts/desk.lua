-- Records what a person at the desk does: says something, takes a conversation over, hands it back.
--
-- Guarantee: what was said, the pause of the bot and the event for the archive change together.
--
-- KEYS 1 state  2 history  3 events
-- ARGV 1 now (unix ms)   2 idle time after which the memory goes (ms)   3 event (JSON)   4 most entries in the event stream
--      5 history line (JSON), '' when nothing was said   6 tokens of the line
--      7 how long the bot pauses from now, and again from every word of the desk (ms); '0' hands back, '' leaves it as it is
--
-- Returns when the bot goes on by itself, unix ms; 0 when it is not paused
local state, history, events = KEYS[1], KEYS[2], KEYS[3]
local now = tonumber(ARGV[1])

-- The same word once more: it was noted, but the caller never heard so.
if ARGV[5] ~= '' and redis.call('LINDEX', history, -1) == ARGV[5] then
  return tonumber(redis.call('HGET', state, 'takeover') or '0')
end

if ARGV[5] ~= '' then
  redis.call('RPUSH', history, ARGV[5])
  redis.call('PEXPIRE', history, ARGV[2])
  redis.call('HINCRBY', state, 'tokens', ARGV[6])
end
if ARGV[7] == '0' then
  redis.call('HDEL', state, 'takeover', 'takeoverMs')
elseif ARGV[7] ~= '' then
  redis.call('HSET', state, 'takeover', string.format('%.0f', now + tonumber(ARGV[7])), 'takeoverMs', ARGV[7])
elseif ARGV[5] ~= '' then
  local pause = redis.call('HGET', state, 'takeoverMs')
  local till = tonumber(redis.call('HGET', state, 'takeover') or '0')
  if pause and till > now then redis.call('HSET', state, 'takeover', string.format('%.0f', now + tonumber(pause))) end
end
if redis.call('HEXISTS', state, 'blocked') == 0 then redis.call('PEXPIRE', state, ARGV[2]) end
redis.call('XADD', events, 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[3])
return tonumber(redis.call('HGET', state, 'takeover') or '0')
