-- Stores one inbound message, and hands the conversation to the caller when nobody is busy with it.
--
-- Guarantee: "seen" and "stored" are one step. After a return the message waits in the mailbox, or it was known before.
-- An id that is known but still waits with nobody at work gets the caller to work: a provider's repeat is a nudge.
-- A reply record without a lease is one whose sender is gone: it comes along, to be brought to its end first.
--
-- KEYS 1 seen  2 mailbox  3 lease  4 state  5 history  6 reply  7 due  8 events  9 rate
-- ARGV 1 now (unix ms)            2 message id            3 message (JSON)
--      4 turn id of the caller    5 lease (ms)            6 how long ids are remembered (ms)
--      7 idle time after which the memory goes (ms)       8 event (JSON)
--      9 most entries in the event stream                10 conversation id
--     11 profile name, '' when unknown                   12 most history lines to return
--     13 most waiting messages to return                14 how long the messages of a contact are counted together (ms)
--
-- State hash: summary, version (of the summary), tokens (of the history), profile, lastInbound (unix ms), turns,
-- rolling (unix ms until which somebody folds the history into the summary), attempts (at what waits now), crashes (how many
-- turns in a row died over it; -1 while it was given back in order), takeover (unix ms until which a person answers instead of
-- the model), takeoverMs (how long a word of that person prolongs it), blocked (while it is there, the hash has no expiry).
--
-- Returns {'known'}    the id was accepted before, and it was answered or somebody is at it
--         {'waiting'}  stored; another turn is at work and will see it
--         {'turn', {summary, version, profile, attempts, takeover, blocked, crashes}, history lines (JSON array), waiting messages,
--          {id, text, via, at} of a reply, how many messages the contact has written in this minute}
--                      stored; the lease is the caller's
local seen, mailbox, lease, state, history = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local reply, due, events, rate = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local now, idle = tonumber(ARGV[1]), ARGV[7]
local written

local busy = redis.call('EXISTS', lease) == 1
if redis.call('ZADD', seen, 'NX', now, ARGV[2]) == 0 then
  if busy or redis.call('LLEN', mailbox) == 0 then return { 'known' } end
else
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - tonumber(ARGV[6]))
  redis.call('PEXPIRE', seen, ARGV[6])
  redis.call('RPUSH', mailbox, ARGV[3])
  redis.call('PEXPIRE', mailbox, idle)
  redis.call('HSET', state, 'lastInbound', ARGV[1])
  if ARGV[11] ~= '' then redis.call('HSET', state, 'profile', ARGV[11]) end
  if redis.call('HEXISTS', state, 'blocked') == 0 then redis.call('PEXPIRE', state, idle) end
  redis.call('PEXPIRE', history, idle)
  redis.call('XADD', events, 'MAXLEN', '~', ARGV[9], '*', 'event', ARGV[8])
  written = redis.call('INCR', rate)
  if written == 1 then redis.call('PEXPIRE', rate, ARGV[14]) end
  redis.call('ZADD', due, 'NX', now + tonumber(ARGV[5]), ARGV[10])
  if busy then return { 'waiting' } end
end

redis.call('SET', lease, ARGV[4], 'PX', ARGV[5])
redis.call('ZADD', due, now + tonumber(ARGV[5]), ARGV[10])
return {
  'turn',
  redis.call('HMGET', state, 'summary', 'version', 'profile', 'attempts', 'takeover', 'blocked', 'crashes'),
  '[' .. table.concat(redis.call('LRANGE', history, -tonumber(ARGV[12]), -1), ',') .. ']',
  redis.call('LRANGE', mailbox, 0, ARGV[13] - 1),
  redis.call('HMGET', reply, 'id', 'text', 'via', 'at'),
  written or tonumber(redis.call('GET', rate) or 0),
}
