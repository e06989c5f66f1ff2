-- Takes over a contact whose work is due: its turn ended early, was given back for a while, or never began.
--
-- Guarantee: only one caller gets it, and only while there is no lease; every claim counts as an attempt, and as a crash of the turn
-- before unless that turn gave it back.
--
-- KEYS 1 lease  2 mailbox  3 state  4 history  5 reply  6 due  7 alias
-- ARGV 1 now (unix ms)   2 turn id of the caller   3 lease (ms)   4 contact id   5 most history lines to return
--      6 most waiting messages to return
--
-- Returns {'moved', contact}   this contact is an alias of that one, but its memory was not moved completely
--         {'busy'}   there is a lease; the contact is due again when it runs out
--         {'idle'}   there is nothing to do; the contact is not due any more
--         {'turn', state (field, value, …), history lines (JSON array), waiting messages, {id, conversation, to, parts, via, at} of a reply}
local lease, mailbox, state, history, reply, due = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local now, leaseMs = tonumber(ARGV[1]), tonumber(ARGV[3])

local moved = redis.call('GET', KEYS[7])
if moved then return { 'moved', moved } end
local left = redis.call('PTTL', lease)
if left ~= -2 then
  redis.call('ZADD', due, now + math.max(left, 1), ARGV[4])
  return { 'busy' }
end
if redis.call('EXISTS', mailbox, reply) == 0 then
  redis.call('ZREM', due, ARGV[4])
  return { 'idle' }
end
redis.call('SET', lease, ARGV[2], 'PX', leaseMs)
redis.call('ZADD', due, now + leaseMs, ARGV[4])
redis.call('HINCRBY', state, 'attempts', 1)
redis.call('HINCRBY', state, 'crashes', 1)
return {
  'turn',
  redis.call('HGETALL', state),
  '[' .. table.concat(redis.call('LRANGE', history, -tonumber(ARGV[5]), -1), ',') .. ']',
  redis.call('LRANGE', mailbox, 0, ARGV[6] - 1),
  redis.call('HMGET', reply, 'id', 'conversation', 'to', 'parts', 'via', 'at'),
}
