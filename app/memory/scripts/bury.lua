-- Gives up what waits: it becomes a dead letter that the inbox shows.
--
-- Guarantee: only the holder of the lease can bury; exactly what leaves the mailbox and the reply record is buried.
--
-- KEYS 1 lease  2 mailbox  3 reply  4 state  5 due  6 dead  7 events  8 history
-- ARGV 1 lease of the caller   2 conversation id   3 code of the failure   4 what happened, one sentence
--      5 event (JSON)   6 most entries in the event stream   7 most dead letters
--      8 how many waiting messages are given up, from the oldest; 0 when only the reply is   9 contact id
--     10 idle time after which the memory expires, from here on if nothing waits (ms)
--
-- Returns {'lost'}   the lease belongs to another turn: nothing was changed
--         {'buried', id of the dead letter, how many messages still wait}   the lease is free; what still waits is due now
local lease, mailbox, reply, state, due, dead, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local taken = tonumber(ARGV[8])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('GET', lease) ~= ARGV[1] then return { 'lost' } end
local messages = {}
if taken > 0 then messages = redis.call('LRANGE', mailbox, 0, taken - 1) end
local lost = redis.call('HMGET', reply, 'id', 'to', 'parts', 'at', 'template')
local id = redis.call('XADD', dead, 'MAXLEN', '~', ARGV[7], '*', 'conversation', ARGV[2], 'at', now,
  'code', ARGV[3], 'reason', ARGV[4], 'replyId', lost[1] or '', 'replyTo', lost[2] or '', 'parts', lost[3] or '',
  'replyAt', lost[4] or '', 'template', lost[5] or '', 'messages', '[' .. table.concat(messages, ',') .. ']')
if taken > 0 then redis.call('LTRIM', mailbox, taken, -1) end
redis.call('DEL', reply, lease)
-- What was to tell them that software answers has not arrived: the next answer does.
if lost[1] and redis.call('HGET', state, 'disclosed') == lost[1] then redis.call('HDEL', state, 'disclosed') end
redis.call('HDEL', state, 'attempts', 'holders', 'crashes')
redis.call('XADD', events, 'MAXLEN', '~', ARGV[6], '*', 'event', ARGV[5])
local waiting = redis.call('LLEN', mailbox)
if waiting == 0 then
  redis.call('ZREM', due, ARGV[9])
  if redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') == 0 then redis.call('PEXPIRE', state, ARGV[10]) end
  redis.call('PEXPIRE', KEYS[8], ARGV[10])
else
  redis.call('ZADD', due, now, ARGV[9])
end
return { 'buried', id, waiting }
