-- Ends a turn whose reply was delivered or given up, and hands over what came in meanwhile.
--
-- Guarantee: only the reply record that was delivered is deleted; while messages wait, or a reply of another turn, the lease passes to
-- the caller's next turn directly, so that no other process can take it in between.
--
-- KEYS 1 lease  2 reply  3 mailbox  4 state  5 history  6 due  7 events  8 handed
-- ARGV 1 lease of the caller   2 lease of the next turn   3 lease (ms)
--      4 idle time after which the memory expires, from here on if nothing waits (ms)   5 event (JSON), '' for none
--      6 most entries in the event stream   7 contact id   8 most history lines to return   9 id of the reply
--     10 most waiting messages to return
--     11 the reply as it was handed to a webhook's response (JSON, see accept), '' when it was not   12 how long that is kept (ms)
--     13 how many of them are kept
--
-- Returns {'lost'}   the lease belongs to another turn: only the reply record, if it is still this reply's, was deleted
--         {'done'}   nothing waits, the lease is free
--         {'turn', state (field, value, …), history lines (JSON array), waiting messages,
--          {id, conversation, to, parts, via, at, purpose, template} of a reply that another turn left behind}
--                    the lease is the next turn's
local lease, reply, mailbox, state, history, due, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]

if redis.call('HGET', reply, 'id') == ARGV[9] then redis.call('DEL', reply) end
if ARGV[11] ~= '' then
  redis.call('RPUSH', KEYS[8], ARGV[11])
  redis.call('LTRIM', KEYS[8], -ARGV[13], -1)
  redis.call('PEXPIRE', KEYS[8], ARGV[12])
end
if ARGV[5] ~= '' then redis.call('XADD', events, 'MAXLEN', '~', ARGV[6], '*', 'event', ARGV[5]) end
local holder = redis.call('GET', lease)
if holder and holder ~= ARGV[1] then return { 'lost' } end
redis.call('HDEL', state, 'attempts', 'holders', 'crashes')
if redis.call('EXISTS', mailbox, reply) == 0 then
  redis.call('DEL', lease)
  redis.call('ZREM', due, ARGV[7])
  if redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') == 0 then redis.call('PEXPIRE', state, ARGV[4]) end
  redis.call('PEXPIRE', history, ARGV[4])
  return { 'done' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', state, 'holders', string.match(ARGV[2], '^%S+'))
redis.call('SET', lease, ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', due, now + tonumber(ARGV[3]), ARGV[7])
return {
  'turn',
  redis.call('HGETALL', state),
  '[' .. table.concat(redis.call('LRANGE', history, -tonumber(ARGV[8]), -1), ',') .. ']',
  redis.call('LRANGE', mailbox, 0, ARGV[10] - 1),
  redis.call('HMGET', reply, 'id', 'conversation', 'to', 'parts', 'via', 'at', 'purpose', 'template'),
}
