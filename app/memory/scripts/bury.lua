-- Gives up what waits: it becomes a dead letter that the inbox shows.
--
-- Guarantee: only the holder of the lease can bury; exactly what leaves the mailbox and the reply record is buried.
--
-- KEYS 1 lease  2 mailbox  3 reply  4 state  5 due  6 dead  7 events
-- ARGV 1 turn id   2 conversation id   3 now (unix ms)   4 code of the failure   5 what happened, one sentence
--      6 event (JSON)   7 most entries in the event stream   8 most dead letters
--      9 how many waiting messages are given up, from the oldest; 0 when only the reply is   10 contact id
--
-- Returns {'lost'}   the lease belongs to another turn: nothing was changed
--         {'buried', id of the dead letter, how many messages still wait}   the lease is free; what still waits is due now
local lease, mailbox, reply, state, due, dead, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local taken = tonumber(ARGV[9])

if redis.call('GET', lease) ~= ARGV[1] then return { 'lost' } end
local messages = {}
if taken > 0 then messages = redis.call('LRANGE', mailbox, 0, taken - 1) end
local lost = redis.call('HMGET', reply, 'id', 'to', 'parts', 'at')
local id = redis.call('XADD', dead, 'MAXLEN', '~', ARGV[8], '*', 'conversation', ARGV[2], 'at', ARGV[3],
  'code', ARGV[4], 'reason', ARGV[5], 'replyId', lost[1] or '', 'replyTo', lost[2] or '', 'parts', lost[3] or '',
  'replyAt', lost[4] or '', 'messages', '[' .. table.concat(messages, ',') .. ']')
if taken > 0 then redis.call('LTRIM', mailbox, taken, -1) end
redis.call('DEL', reply, lease)
redis.call('HDEL', state, 'attempts', 'crashes')
redis.call('XADD', events, 'MAXLEN', '~', ARGV[7], '*', 'event', ARGV[6])
local waiting = redis.call('LLEN', mailbox)
if waiting == 0 then
  redis.call('ZREM', due, ARGV[10])
else
  redis.call('ZADD', due, ARGV[3], ARGV[10])
  redis.call('HSET', state, 'crashes', -1)
end
return { 'buried', id, waiting }
