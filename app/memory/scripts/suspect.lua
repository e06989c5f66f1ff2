-- Records that what a contact writes looks like spam.
--
-- Guarantee: nothing is recorded of a contact that is blocked or excused, nor of one that is not remembered. While they go on, what is
-- counted stays counted; the event is written when it gets worse, else at most once in a while.
--
-- KEYS 1 state  2 spam  3 events
-- ARGV 1 score   2 until when the contact is not answered (unix ms), '0' when it is   3 event (JSON)   4 most entries in the event stream
--      5 how long is counted (ms)   6 time between two events (ms)
--
-- Returns 0 when nothing was recorded, 1 when it was, 2 when the contact is throttled from now on
local state, spam = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call('HMGET', spam, 'recorded', 'recordedAt')
redis.call('HSET', spam, 'recorded', math.max(tonumber(ARGV[1]), tonumber(known[1] or 0)))
redis.call('PEXPIRE', spam, ARGV[5])
if redis.call('EXISTS', state) == 0 or redis.call('HEXISTS', state, 'blocked') == 1 then return 0 end
if tonumber(redis.call('HGET', state, 'excused') or 0) > now then return 0 end

local throttled = tonumber(redis.call('HGET', state, 'throttled') or 0)
local isNews = ARGV[2] ~= '0' and throttled <= now
if ARGV[2] ~= '0' then redis.call('HSET', state, 'throttled', ARGV[2]) end
local since = now - tonumber(known[2] or 0)
if isNews or tonumber(ARGV[1]) > tonumber(known[1] or 0) or since >= tonumber(ARGV[6]) then
  redis.call('HSET', spam, 'recordedAt', now)
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[3])
end
return isNews and 2 or 1
