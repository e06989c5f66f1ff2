-- Makes a contact an alias of another one, and returns its memory, to be added to the other's (`arrive`) and deleted here after that.
--
-- Guarantee: from here on `accept` and `claim` refuse this contact and name the other one. The contact stays due until its memory is
-- deleted, so that a move that was interrupted is continued.
--
-- KEYS 1 alias  2 lease  3 reply  4 mailbox  5 state  6 history  7 seen  8 due
-- ARGV 1 the contact it becomes an alias of   2 lease of a caller that holds it, '' for none   3 this contact's id
--      4 after how long the move is continued if it is interrupted (ms)   5 idle time after which an alias expires (ms)
--      6 names this departure, unless one was interrupted
--
-- Returns {'busy'}            a turn is running or a reply is being delivered: nothing was changed
--         {'alias', contact}  it is an alias of that contact, and there is nothing to move
--         {'move', contact, state (field, value, …), history lines, waiting messages, seen (id, unix ms, …)}
local alias, lease, reply, mailbox, state, history, seen =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local holder = redis.call('GET', lease)
if (holder and holder ~= ARGV[2]) or redis.call('EXISTS', reply) == 1 then return { 'busy' } end
local target = redis.call('GET', alias)
if not target then
  target = ARGV[1]
end
redis.call('SET', alias, target, 'PX', ARGV[5])
if redis.call('EXISTS', state, history, mailbox, seen) == 0 then
  redis.call('ZREM', KEYS[8], ARGV[3])
  return { 'alias', target }
end
redis.call('ZADD', KEYS[8], now + tonumber(ARGV[4]), ARGV[3])
redis.call('DEL', lease)
redis.call('HSETNX', state, 'departure', ARGV[6])
return {
  'move',
  target,
  redis.call('HGETALL', state),
  redis.call('LRANGE', history, 0, -1),
  redis.call('LRANGE', mailbox, 0, -1),
  redis.call('ZRANGE', seen, 0, -1, 'WITHSCORES'),
}
