-- Takes over a contact whose work is due: its turn ended early, was given back for a while, or never began.
--
-- Guarantee: only one caller gets it, and only while there is no lease; every claim counts as an attempt. A process that held it before
-- and is gone crashed over it; one that lives only lost its lease, on a machine that stood still.
--
-- KEYS 1 lease  2 mailbox  3 state  4 history  5 reply  6 due  7 alias  8 processes
-- ARGV 1 lease of the caller: '<process> <turn>'   2 lease (ms)   3 contact id   4 most history lines to return
--      5 most waiting messages to return   6 idle time after which the memory expires, from here on if there is nothing to do (ms)
--
-- Returns {'moved', contact}   this contact is an alias of that one, but its memory was not moved completely
--         {'busy'}   there is a lease; the contact is due again when it runs out
--         {'idle'}   there is nothing to do; the contact is not due any more
--         {'turn', state (field, value, …), history lines (JSON array), waiting messages, {id, conversation, to, parts, via, at, purpose, template} of a reply,
--          how many processes crashed over it}
local lease, mailbox, state, history, reply, due = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local leaseMs = tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local moved = redis.call('GET', KEYS[7])
if moved then return { 'moved', moved } end
local left = redis.call('PTTL', lease)
if left ~= -2 then
  redis.call('ZADD', due, now + math.max(left, 1), ARGV[3])
  return { 'busy' }
end
if redis.call('EXISTS', mailbox, reply) == 0 then
  redis.call('ZREM', due, ARGV[3])
  if redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') == 0 then redis.call('PEXPIRE', state, ARGV[6]) end
  redis.call('PEXPIRE', history, ARGV[6])
  return { 'idle' }
end
redis.call('SET', lease, ARGV[1], 'PX', leaseMs)
redis.call('ZADD', due, now + leaseMs, ARGV[3])
-- What version 0.2.0 stored may still expire.
for _, key in ipairs({ mailbox, reply, state, history }) do redis.call('PERSIST', key) end
redis.call('HINCRBY', state, 'attempts', 1)
local process, crashes = string.match(ARGV[1], '^%S+'), 0
local holders = redis.call('HGET', state, 'holders') or ''
for holder in string.gmatch(holders, '%S+') do
  if (redis.call('ZSCORE', KEYS[8], holder) or '0') == '0' then crashes = crashes + 1 end
end
if not string.find(holders, process, 1, true) then redis.call('HSET', state, 'holders', holders .. ' ' .. process) end
return {
  'turn',
  redis.call('HGETALL', state),
  '[' .. table.concat(redis.call('LRANGE', history, -tonumber(ARGV[4]), -1), ',') .. ']',
  redis.call('LRANGE', mailbox, 0, ARGV[5] - 1),
  redis.call('HMGET', reply, 'id', 'conversation', 'to', 'parts', 'via', 'at', 'purpose', 'template'),
  crashes,
}
